// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/match.h"

#include <catch2/catch.hpp>
#include <cstring>

#include "dataplane/packet/drop_reason.h"

namespace postern {
namespace {

AddressSet set_of_ranges(std::initializer_list<const char*> items) {
  AddressSet set;
  set.any = false;
  for (const char* item : items)
    set.ranges.push_back(*parse_address_range(item));
  return set;
}

FlowQuery query(uint8_t protocol, uint16_t source_port, uint16_t destination_port) {
  FlowQuery q;
  q.protocol = protocol;
  q.source_port = source_port;
  q.destination_port = destination_port;
  return q;
}

}  // namespace

TEST_CASE("packet/match: a set holds its ranges with both ends and nothing between", "[F16]") {
  const AddressSet set = set_of_ranges({"10.0.0.5", "10.0.0.9-10.0.0.12", "192.168.0.0/16"});
  auto inside =
      GENERATE("10.0.0.5", "10.0.0.9", "10.0.0.10", "10.0.0.12", "192.168.0.0", "192.168.255.255");
  CHECK(set.contains(*parse_ipv4(inside)));
  auto outside = GENERATE("0.0.0.0", "10.0.0.4", "10.0.0.6", "10.0.0.8", "10.0.0.13",
                          "192.167.255.255", "192.169.0.0", "255.255.255.255");
  CHECK_FALSE(set.contains(*parse_ipv4(outside)));
}

TEST_CASE("packet/match: any holds every address, an empty set none") {
  CHECK(AddressSet{}.contains(Ipv4Address(1, 2, 3, 4)));
  CHECK_FALSE(AddressSet{{}, false}.contains(Ipv4Address(1, 2, 3, 4)));
}

TEST_CASE("packet/match: a service compares protocol, then ports of both sides", "[F18]") {
  ServiceSpec web;
  web.protocol = protocol::tcp;
  web.first_destination = 80;
  web.last_destination = 88;
  web.first_source = 1024;
  CHECK(matches(web, query(protocol::tcp, 5000, 80)));
  CHECK(matches(web, query(protocol::tcp, 1024, 88)));
  CHECK_FALSE(matches(web, query(protocol::udp, 5000, 80)));
  CHECK_FALSE(matches(web, query(protocol::tcp, 5000, 79)));
  CHECK_FALSE(matches(web, query(protocol::tcp, 5000, 89)));
  CHECK_FALSE(matches(web, query(protocol::tcp, 1023, 80)));
}

TEST_CASE("packet/match: ICMP compares type and code and never ports", "[F18]") {
  ServiceSpec prohibited;
  prohibited.protocol = protocol::icmp;
  prohibited.icmp_type = 3;
  prohibited.icmp_code = 13;
  prohibited.first_destination = 7;
  FlowQuery q = query(protocol::icmp, 99, 0);
  q.icmp_type = 3;
  q.icmp_code = 13;
  CHECK(matches(prohibited, q));
  q.icmp_code = 1;
  CHECK_FALSE(matches(prohibited, q));
  prohibited.icmp_code = -1;
  CHECK(matches(prohibited, q));
  q.icmp_type = 8;
  CHECK_FALSE(matches(prohibited, q));
}

TEST_CASE("packet/match: other protocols match by number alone", "[F18]") {
  ServiceSpec gre;
  gre.protocol = protocol::gre;
  CHECK(matches(gre, query(protocol::gre, 0, 0)));
  CHECK_FALSE(matches(gre, query(protocol::esp, 0, 0)));
}

TEST_CASE("packet/match: no service in a list means every service") {
  ServiceSpec dns, any;
  dns.protocol = protocol::udp;
  dns.first_destination = dns.last_destination = 53;
  any.any_protocol = true;
  CHECK(matches_any({}, query(protocol::gre, 0, 0)));
  CHECK(matches_any({dns, any}, query(protocol::gre, 0, 0)));
  CHECK_FALSE(matches_any({dns}, query(protocol::tcp, 1, 53)));
}

TEST_CASE("packet/drop_reason: every reason has one word, a clause and a sentence") {
  for (unsigned i = 1; i < kDropReasons; ++i) {
    const auto reason = static_cast<DropReason>(i);
    CHECK(drop_reason_from(to_word(reason)) == reason);
    CHECK(std::strlen(help_of(reason)) > 0);
    CHECK(std::strlen(source_of(reason)) > 0);
  }
  CHECK(drop_reason_from("none") == DropReason::none);
  CHECK(drop_reason_from("no_such_reason") == DropReason::none);
}

}  // namespace postern
