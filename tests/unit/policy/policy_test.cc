// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/policy/policy.h"

#include <catch2/catch.hpp>

namespace postern {
namespace {

constexpr InterfaceId kWan = 0, kLan = 1, kUnused = 2;

Ipv4Address address(const char* text) {
  return *parse_ipv4(text);
}

// wan 203.0.113.1/24 with the default route, lan 192.168.1.1/24 and 10.1.0.1/16, an id without
// interface; 10.9.0.0/16 is routed to the lan.
std::unique_ptr<Policy> office() {
  auto policy = std::make_unique<Policy>();
  policy->generation = 1;
  policy->interfaces.resize(3);
  std::vector<Route> routes;
  auto add = [&](InterfaceId id, const char* name, std::vector<const char*> addresses) {
    PolicyInterface& interface = policy->interfaces[id];
    interface.name = name;
    interface.exists = true;
    for (const char* text : addresses) {
      Prefix prefix = *parse_prefix(text);
      interface.addresses.push_back(prefix);
      routes.push_back({{prefix.network(), prefix.length}, id, Ipv4Address(), true});
      routes.push_back({{prefix.address, 32}, kGateway, Ipv4Address(), false});
    }
  };
  add(kWan, "wan", {"203.0.113.1/24"});
  add(kLan, "lan", {"192.168.1.1/24", "10.1.0.1/16"});
  routes.push_back({*parse_prefix("0.0.0.0/0"), kWan, address("203.0.113.254"), false});
  routes.push_back({*parse_prefix("10.9.0.0/16"), kLan, address("192.168.1.2"), false});
  policy->routes = RouteTable(routes);
  policy->nat.external_addresses = {{address("203.0.113.1"), kWan, true, false},
                                    {address("203.0.113.9"), kWan, false, true}};
  policy->nat.masquerade_address.resize(3);
  policy->nat.seal();
  return policy;
}

}  // namespace

TEST_CASE("policy/policy: own addresses are those of every interface") {
  auto policy = office();
  CHECK(policy->is_own_address(address("203.0.113.1")));
  CHECK(policy->is_own_address(address("10.1.0.1")));
  CHECK_FALSE(policy->is_own_address(address("10.1.0.2")));
  CHECK_FALSE(policy->is_own_address(address("203.0.113.9")));
}

TEST_CASE("policy/policy: broadcasts are the limited one and those of connected networks") {
  auto policy = office();
  CHECK(policy->is_local_broadcast(address("255.255.255.255")));
  CHECK(policy->is_local_broadcast(address("10.1.255.255")));
  CHECK(policy->is_local_broadcast(address("192.168.1.255")));
  CHECK_FALSE(policy->is_local_broadcast(address("10.9.255.255")));
  CHECK_FALSE(policy->is_local_broadcast(address("192.168.1.254")));
}

TEST_CASE("policy/policy: a source belongs behind the interface that its best route leads to",
          "[F26]") {
  auto policy = office();
  CHECK(policy->may_come_from(address("192.168.1.10"), kLan));
  CHECK(policy->may_come_from(address("10.9.1.1"), kLan));
  CHECK(policy->may_come_from(address("198.51.100.7"), kWan));
  CHECK(policy->may_come_from(address("203.0.113.20"), kWan));
  CHECK_FALSE(policy->may_come_from(address("8.8.8.8"), kLan));
  CHECK_FALSE(policy->may_come_from(address("192.168.1.10"), kWan));
  CHECK_FALSE(policy->may_come_from(address("10.9.1.1"), kWan));
  CHECK_FALSE(policy->may_come_from(address("192.168.1.10"), kUnused));
  CHECK_FALSE(policy->may_come_from(address("192.168.1.10"), kNoInterface));
}

TEST_CASE("policy/policy: without a default route unknown sources belong nowhere", "[F26]") {
  auto policy = office();
  policy->routes = RouteTable({{*parse_prefix("192.168.1.0/24"), kLan, Ipv4Address(), true}});
  CHECK_FALSE(policy->may_come_from(address("198.51.100.7"), kWan));
  CHECK_FALSE(policy->may_come_from(address("198.51.100.7"), kLan));
}

TEST_CASE("policy/policy: no wire may claim our addresses or broadcast ones as source", "[F26]") {
  auto policy = office();
  auto in = GENERATE(kWan, kLan);
  policy->interfaces[in].spoof_allow = {{{address("0.0.0.0"), address("255.255.255.255")}}, false};
  CHECK_FALSE(policy->may_come_from(address("203.0.113.1"), in));
  CHECK_FALSE(policy->may_come_from(address("192.168.1.1"), in));
  CHECK_FALSE(policy->may_come_from(address("203.0.113.9"), in));
  CHECK_FALSE(policy->may_come_from(address("192.168.1.255"), in));
  CHECK(policy->may_come_from(address("192.168.1.1"), kGateway));
  CHECK_FALSE(policy->may_come_from(address("192.168.1.10"), kGateway));
}

TEST_CASE("policy/policy: spoof_allow adds to the routes of one interface", "[F26]") {
  auto policy = office();
  AddressRange extra = *parse_address_range("172.16.0.0/12");
  policy->interfaces[kLan].spoof_allow = {{extra}, false};
  CHECK(policy->may_come_from(address("172.16.5.5"), kLan));
  CHECK_FALSE(policy->may_come_from(address("172.32.5.5"), kLan));
}

TEST_CASE("policy/policy: an inside network never comes from outside, allowed or not", "[F26]") {
  auto policy = office();
  policy->interfaces[kWan].zone = Zone::external;
  for (PolicyInterface& interface : policy->interfaces) {
    interface.spoof_allow = {{{address("0.0.0.0"), address("255.255.255.255")}}, false};
  }
  CHECK_FALSE(policy->may_come_from(address("192.168.1.10"), kWan));
  CHECK_FALSE(policy->may_come_from(address("10.9.1.1"), kWan));
  CHECK(policy->may_come_from(address("198.51.100.7"), kLan));
  CHECK(policy->may_come_from(address("203.0.113.20"), kLan));
}

TEST_CASE("policy/policy: ARP is answered for the interface's addresses and those it stands for",
          "[F08]") {
  auto policy = office();
  CHECK(policy->answers_arp(address("203.0.113.1"), kWan));
  CHECK(policy->answers_arp(address("203.0.113.9"), kWan));
  CHECK_FALSE(policy->answers_arp(address("203.0.113.9"), kLan));
  CHECK_FALSE(policy->answers_arp(address("192.168.1.1"), kWan));
  CHECK_FALSE(policy->answers_arp(address("203.0.113.10"), kWan));
  CHECK_FALSE(policy->answers_arp(address("203.0.113.1"), kUnused));
}

TEST_CASE("policy/policy: the gateway speaks with the address in the destination's network") {
  auto policy = office();
  CHECK(policy->source_on(kLan, address("10.1.2.3")) == address("10.1.0.1"));
  CHECK(policy->source_on(kLan, address("192.168.1.9")) == address("192.168.1.1"));
  CHECK(policy->source_on(kLan, address("10.9.2.3")) == address("192.168.1.1"));
  CHECK(policy->source_on(kWan, address("198.51.100.7")) == address("203.0.113.1"));
  CHECK(policy->source_on(kUnused, address("198.51.100.7")) == address("203.0.113.1"));
}

TEST_CASE("policy/policy: each worker counts in its own array, one entry a rule and the default") {
  Policy policy;
  policy.shards = Shards(2);
  policy.rules = Ruleset(std::vector<Rule>(3), Posture::normal, true);
  policy.allocate_counters();
  REQUIRE(policy.rule_counters.size() == 2);
  policy.rule_counters[1][3].packets.add(1);
  CHECK(policy.rule_counters[0][3].packets.read() == 0);
  CHECK(policy.rule_counters[1][3].packets.read() == 1);
}

}  // namespace postern
