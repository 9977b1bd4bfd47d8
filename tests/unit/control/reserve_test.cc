// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/reserve.h"

#include <catch2/catch.hpp>

#include "control/config/load.h"

namespace postern {
namespace {

std::string text_with(const std::string& dhcp) {
  return "version: 1\n"
         "interfaces:\n"
         "  lan: { port: kernel:eth1, zone: internal, address: 192.168.1.1/24 }\n"
         "filter: { rules: [ { name: all, in: lan, action: permit } ] }\n"
         "services:\n" +
         dhcp;
}

dhcp::Lease lease_of(uint8_t last) {
  dhcp::Lease lease;
  lease.address = Ipv4Address(192, 168, 1, last);
  lease.state = dhcp::LeaseState::bound;
  lease.mac = {{2, 0, 0, 0, 0, last}};
  lease.client = "x";
  lease.host_name = "pc" + std::to_string(last);
  return lease;
}

}  // namespace

TEST_CASE("control/reserve: a lease becomes a reservation in whatever style the file has",
          "[F46]") {
  std::string dhcp = GENERATE(
      as<std::string>(),
      // flow, without and with reservations
      "  dhcp: { scopes: [ { interface: lan, range: 192.168.1.100-192.168.1.199 } ] }\n",
      "  dhcp: { scopes: [ { interface: lan, reservations: [ { host_name: a, address: 192.168.1.9 "
      "} "
      "] } ] }\n",
      // block
      "  dhcp:\n    scopes:\n      - interface: lan   # the office\n"
      "        range: 192.168.1.100-192.168.1.199\n",
      "  dhcp:\n    scopes:\n      - interface: lan\n        reservations:\n"
      "          # the printer\n          - host_name: a\n            address: 192.168.1.9\n",
      "  dhcp:\n    scopes:\n    - interface: lan\n      reservations:\n"
      "      - { host_name: a, address: 192.168.1.9 }\n",
      "  dhcp:\n    scopes:\n      - interface: lan\n        reservations: [\n"
      "          { host_name: a, address: 192.168.1.9 } ]\n");
  std::string text = text_with(dhcp);
  config::Loaded before = config::load(text);
  REQUIRE(before.ok());
  auto once = with_reservation(text, before.model, lease_of(100));
  INFO(text << (once ? *once : once.error().text));
  REQUIRE(once);
  config::Loaded after = config::load(*once);
  REQUIRE(after.ok());
  const auto& list = after.model.services.dhcp->scopes[0].reservations;
  CHECK(list.size() == before.model.services.dhcp->scopes[0].reservations.size() + 1);
  CHECK(list.front().name == "pc100");
  CHECK(list.front().mac == lease_of(100).mac);
  auto twice = with_reservation(*once, after.model, lease_of(101));
  REQUIRE(twice);
  auto again = with_reservation(*once, after.model, lease_of(100));
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::failed);  // the configuration is not what is invalid
}

TEST_CASE("control/reserve: an address of no scope is refused") {
  std::string text =
      text_with("  dhcp: { scopes: [ { interface: lan, range: 192.168.1.100 } ] }\n");
  dhcp::Lease lease = lease_of(100);
  lease.address = {10, 0, 0, 1};
  auto outcome = with_reservation(text, config::load(text).model, lease);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::not_found);
}

}  // namespace postern
