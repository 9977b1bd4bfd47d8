// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/import.h"

#include <catch2/catch.hpp>

#include "unit/dhcp/build_message.h"

namespace postern::dhcp {
namespace {

constexpr int64_t kNow = 1'700'000'000;

}  // namespace

TEST_CASE("dhcp/import: leases of dnsmasq come over", "[F46]") {
  auto leases = read_lease_file(
      "1700003600 02:00:00:00:00:01 192.168.1.100 PC1 01:02:00:00:00:00:01\n"
      "0 02:00:00:00:00:02 192.168.1.101 * *\n"
      "1600000000 02:00:00:00:00:03 192.168.1.102 old *\n"
      "duid 00:01:00:01:2c\n"
      "1700003600 12345 2001:db8::5 v6 00:01\n",
      kNow);
  REQUIRE(leases);
  REQUIRE(leases->size() == 2);
  CHECK((*leases)[0].address == Ipv4Address(192, 168, 1, 100));
  CHECK((*leases)[0].mac == test::mac_of(1));
  CHECK((*leases)[0].host_name == "pc1");
  CHECK((*leases)[0].ends_s == 1'700'003'600);
  CHECK((*leases)[0].client == std::string("\x01\x02\x00\x00\x00\x00\x01", 7));
  CHECK((*leases)[1].ends_s == kNever);
  CHECK((*leases)[1].host_name.empty());
  CHECK((*leases)[1].client == std::string("\x01\x02\x00\x00\x00\x00\x02", 7));
}

TEST_CASE("dhcp/import: leases of ISC dhcpd come over, the last one of each address", "[F46]") {
  auto leases = read_lease_file(
      "# The format of this file is documented in the dhcpd.leases(5) manual page.\n"
      "authoring-byte-order little-endian;\n"
      "lease 192.168.1.100 {\n"
      "  starts 2 2023/11/14 22:13:20;\n"
      "  ends 2 2023/11/14 23:13:20;\n"
      "  binding state active;\n"
      "  hardware ethernet 02:00:00:00:00:01;\n"
      "  uid \"\\001\\002\\000\\000\\000\\000\\001\";\n"
      "  set vendor-class-identifier = \"x\";\n"
      "  client-hostname \"pc1\";\n"
      "}\n"
      "lease 192.168.1.101 {\n"
      "  ends epoch 1700009999; # a comment\n"
      "  binding state active;\n"
      "  hardware ethernet 02:00:00:00:00:02;\n"
      "}\n"
      "lease 192.168.1.102 {\n  ends never;\n  hardware ethernet 02:00:00:00:00:03;\n}\n"
      "lease 192.168.1.102 {\n  binding state free;\n}\n",
      kNow);
  INFO((leases ? "" : leases.error().text));
  REQUIRE(leases);
  REQUIRE(leases->size() == 2);
  CHECK((*leases)[0].ends_s == 1'700'003'600);
  CHECK((*leases)[0].started_s == kNow);
  CHECK((*leases)[0].client == std::string("\x01\x02\x00\x00\x00\x00\x01", 7));
  CHECK((*leases)[0].host_name == "pc1");
  CHECK((*leases)[1].client == std::string("\x01\x02\x00\x00\x00\x00\x02", 7));
}

TEST_CASE("dhcp/import: what is neither is refused with its line") {
  for (const char* bad :
       {"hello", "1 2 3 4", "x 02:00:00:00:00:01 192.168.1.1 a *", "lease 1 {", "lease 192.0.2.1 (",
        "lease 192.0.2.1 {\nends sometime;\n}", "lease 192.0.2.1 {\nhardware ethernet 1:2;\n}",
        "lease 192.0.2.1 {\nends never;\n", "-1 02:00:00:00:00:01 192.168.1.1 a *"}) {
    INFO(bad);
    CHECK_FALSE(read_lease_file(bad, kNow));
  }
  CHECK(read_lease_file("", kNow));
}

}  // namespace postern::dhcp
