// SPDX-License-Identifier: BSD-3-Clause
// A next hop that does not answer ARP: who is told, and what.
#include <catch2/catch.hpp>

#include "support/office.h"
#include "support/packet_builder.h"
#include "support/packet_match.h"
#include "support/testbed.h"

namespace postern::test {
namespace {

std::vector<Effect> without_drops(std::vector<Effect> effects) {
  std::erase_if(effects, [](const Effect& e) { return e.kind == Effect::Kind::drop; });
  return effects;
}

// What comes of a packet whose next hop stays silent.
std::vector<Effect> given_up(Testbed& bed, const char* interface, PacketBuilder packet) {
  Frame frame = packet.to_mac(bed.gateway_mac(interface)).build();
  CHECK(bed.inject(interface, frame.bytes()).empty());
  return without_drops(bed.advance(seconds(5)));
}

}  // namespace

TEST_CASE("pipeline: whoever sends inside is told that nobody answers",
          "[RFC1812-5.2.7.1b][RFC1812-4.3.2.4][F07]") {
  Testbed bed;
  REQUIRE(bed.load(kOffice).has_value());
  bed.silence(Ipv4Address(10, 9, 0, 66));
  bed.silence(Ipv4Address(203, 0, 113, 254));
  SECTION("a neighbor of another wire") {
    auto seen = given_up(bed, "lan", udp("192.168.1.10:5000", "10.9.0.66:53"));
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].interface == "lan");
    CHECK_THAT(Frame(seen[0].frame), checksums_hold());
    CHECK_THAT(Frame(seen[0].frame),
               reads("icmp 192.168.1.1 -> 192.168.1.10 unreachable/1 about udp "
                     "192.168.1.10:5000 -> 10.9.0.66:53"));
  }
  SECTION("the router outside: the quoted packet is as it was sent") {
    auto seen = given_up(bed, "lan", tcp("192.168.1.10:5000", "198.51.100.7:80").syn().mss(1460));
    REQUIRE(seen.size() == 1);
    CHECK_THAT(Frame(seen[0].frame), checksums_hold());
    CHECK_THAT(Frame(seen[0].frame),
               reads("icmp 192.168.1.1 -> 192.168.1.10 unreachable/1 about tcp "
                     "192.168.1.10:5000 -> 198.51.100.7:80"));
    auto ping = given_up(bed, "lan", echo_request("192.168.1.10", "198.51.100.7", 7));
    REQUIRE(ping.size() == 1);
    CHECK_THAT(Frame(ping[0].frame),
               reads("icmp 192.168.1.1 -> 192.168.1.10 unreachable/1 about icmp "
                     "192.168.1.10 -> 198.51.100.7 echo-request id=7"));
  }
  CHECK(bed.counter("drop.neighbor_unresolved") == bed.counter("replies_sent"));
  CHECK(bed.held() == 0);
}

TEST_CASE("pipeline: outside nobody is told, nor about errors and later pieces",
          "[F23][RFC1812-4.3.2.7e]") {
  Testbed bed;
  REQUIRE(bed.load(kOffice).has_value());
  bed.silence(Ipv4Address(10, 9, 0, 66));
  bed.silence(Ipv4Address(192, 168, 1, 5));
  CHECK(given_up(bed, "wan", tcp("198.51.100.7:5000", "203.0.113.1:8080").syn()).empty());
  auto late = udp("192.168.1.10:5000", "10.9.0.66:53").fragment(0, true, 2000).length(1500);
  REQUIRE(given_up(bed, "lan", late).size() == 1);
  auto later = udp("192.168.1.10:5000", "10.9.0.66:53").fragment(1480, false, 2000).length(540);
  CHECK(given_up(bed, "lan", later).empty());
  CHECK(bed.held() == 0);
}

}  // namespace postern::test
