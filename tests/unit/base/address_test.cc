// SPDX-License-Identifier: BSD-3-Clause
#include "base/address.h"

#include <catch2/catch.hpp>

namespace postern {

TEST_CASE("base/address: an address has one strict text form") {
  CHECK(parse_ipv4("192.0.2.1") == Ipv4Address(192, 0, 2, 1));
  CHECK(to_text(Ipv4Address(0, 0, 0, 0)) == "0.0.0.0");
  auto bad = GENERATE("", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ",
                      " 1.2.3.4", "1..3.4", "+1.2.3.4", "0x1.2.3.4", "1.2.3.4/24", "1111.2.3.4");
  CHECK_FALSE(parse_ipv4(bad));
}

TEST_CASE("base/address: prefixes keep host bits and know their ends") {
  auto p = parse_prefix("192.0.2.9/24");
  REQUIRE(p);
  CHECK(p->has_host_bits());
  CHECK(p->network() == Ipv4Address(192, 0, 2, 0));
  CHECK(p->is_directed_broadcast(Ipv4Address(192, 0, 2, 255)));
  CHECK_FALSE(parse_prefix("192.0.2.8/31")->is_directed_broadcast(Ipv4Address(192, 0, 2, 9)));
  CHECK(parse_prefix("0.0.0.0/0")->contains(Ipv4Address(255, 1, 2, 3)));
  CHECK_FALSE(parse_prefix("192.0.2.0"));
  CHECK_FALSE(parse_prefix("192.0.2.0/33"));
}

TEST_CASE("base/address: ranges read and print in their shortest form") {
  CHECK(to_text(*parse_address_range("192.168.1.10-192.168.1.20")) == "192.168.1.10-192.168.1.20");
  CHECK(to_text(*parse_address_range("10.0.0.0-10.255.255.255")) == "10.0.0.0/8");
  CHECK(to_text(*parse_address_range("10.1.2.3")) == "10.1.2.3");
  CHECK_FALSE(parse_address_range("10.0.0.2-10.0.0.1"));
  CHECK_FALSE(parse_address_range("10.0.0.1/24"));
}

TEST_CASE("base/address: a MAC address is six pairs with colons") {
  auto mac = parse_mac("02:00:5e:10:00:FF");
  REQUIRE(mac);
  CHECK(to_text(*mac) == "02:00:5e:10:00:ff");
  CHECK_FALSE(parse_mac("02-00-5e-10-00-ff"));
  CHECK_FALSE(parse_mac("02:00:5e:10:00"));
  CHECK_FALSE(parse_mac("02:00:5e:10:00:gg"));
}

}  // namespace postern
