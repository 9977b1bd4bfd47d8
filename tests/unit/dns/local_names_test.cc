// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/local_names.h"

#include <catch2/catch.hpp>

namespace postern::dns {

TEST_CASE("dns/local_names: hosts files are read as they are written", "[F48]") {
  HostsText hosts = parse_hosts(
      "# a comment\n"
      "192.168.1.5\tnas storage.office.example # the big one\r\n"
      "\n"
      "::1 localhost6\n"
      "192.168.1.6\n"
      "192.168.1.7 bad..name good\n"
      "192.168.1 broken\n"
      "0.0.0.0 ads.example");
  REQUIRE(hosts.names.size() == 4);
  CHECK(hosts.skipped == 3);
  CHECK(to_text(hosts.names[0].name) == "nas");
  CHECK(hosts.names[0].is_first);
  CHECK(to_text(hosts.names[1].name) == "storage.office.example");
  CHECK_FALSE(hosts.names[1].is_first);
  CHECK(to_text(hosts.names[2].name) == "good");
  CHECK(hosts.names[2].is_first);
  CHECK(hosts.names[3].address.is_unspecified());
}

TEST_CASE("dns/local_names: leases come and go with their names", "[C09]") {
  LocalNames names;
  Ipv4Address nas(192, 168, 1, 5);
  Ipv4Address first(192, 168, 1, 20);
  Ipv4Address second(192, 168, 1, 21);
  names.set_fixed({{nas, *parse_name("nas"), true}}, *parse_name("office.example"));
  CHECK(names.set_lease(first, "Laptop.other.example"));
  REQUIRE(names.find(*parse_name("laptop.office.example")).size() == 1);
  CHECK(to_text(*names.find(first)) == "laptop.office.example");
  // The same client with another address.
  CHECK(names.set_lease(second, "laptop"));
  CHECK(names.find(*parse_name("laptop"))[0] == second);
  CHECK(names.find(first) == nullptr);
  CHECK(names.leases() == 1);
  // The same lease with another name.
  CHECK(names.set_lease(second, "desk"));
  CHECK(names.find(*parse_name("laptop")).empty());
  for (const char* bad : {"nas", "wpad", "", "a b", "localhost"}) {
    INFO(bad);
    CHECK_FALSE(names.set_lease(first, bad));
    CHECK(names.find(first) == nullptr);
  }
  // A change of the fixed names keeps the leases.
  names.set_fixed({}, *parse_name("home.example"));
  CHECK(to_text(*names.find(second)) == "desk.home.example");
  names.erase_lease(second);
  CHECK(names.find(*parse_name("desk")).empty());
  CHECK(names.leases() == 0);
}

}  // namespace postern::dns
