// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/nat_policy.h"

#include <catch2/catch.hpp>
#include <random>
#include <set>

namespace postern {
namespace {

constexpr InterfaceId kLan = 0, kWan = 1, kDmz = 2;
constexpr Ipv4Address kOutside(203, 0, 113, 1), kOther(203, 0, 113, 9);
constexpr Ipv4Address kServer(192, 168, 1, 5), kHost(192, 168, 1, 9);

ConfiguredMapping port_map(uint8_t proto, Ipv4Address external, uint16_t first, uint16_t last,
                           uint16_t first_internal) {
  ConfiguredMapping mapping;
  mapping.on = kWan;
  mapping.external = external;
  mapping.internal = kServer;
  mapping.protocol = proto;
  mapping.first_external = first;
  mapping.last_external = last;
  mapping.first_internal = first_internal;
  return mapping;
}

ConfiguredMapping one_to_one(Ipv4Address external, Ipv4Address internal, InterfaceId on = kWan) {
  ConfiguredMapping mapping;
  mapping.one_to_one = true;
  mapping.on = on;
  mapping.external = external;
  mapping.internal = internal;
  return mapping;
}

AddressSet only(Ipv4Address first, Ipv4Address last) {
  return {{{first, last}}, false};
}

FlowQuery query_of(Ipv4Address source, Ipv4Address destination, InterfaceId out = kWan) {
  FlowQuery query;
  query.in = kLan;
  query.out = out;
  query.source = source;
  query.destination = destination;
  query.protocol = protocol::tcp;
  query.destination_port = 80;
  return query;
}

}  // namespace

TEST_CASE("nat/nat_policy: a port map takes its ports of its protocol on its address", "[F10]") {
  NatPolicy policy;
  policy.mappings = {port_map(protocol::tcp, kOutside, 5555, 5555, 44333),
                     port_map(protocol::udp, kOutside, 6000, 6010, 7000)};
  policy.seal();
  struct Row {
    uint8_t protocol;
    Ipv4Address address;
    uint16_t port;
    int mapping;  // -1: none
  };
  auto row = GENERATE(values<Row>({{protocol::tcp, kOutside, 5555, 0},
                                   {protocol::udp, kOutside, 5555, -1},
                                   {protocol::tcp, kOutside, 5554, -1},
                                   {protocol::tcp, kOutside, 5556, -1},
                                   {protocol::tcp, kOther, 5555, -1},
                                   {protocol::udp, kOutside, 5999, -1},
                                   {protocol::udp, kOutside, 6000, 1},
                                   {protocol::udp, kOutside, 6010, 1},
                                   {protocol::udp, kOutside, 6011, -1}}));
  CAPTURE(int{row.protocol}, row.port);
  const ConfiguredMapping* expected =
      row.mapping < 0 ? nullptr : &policy.mappings[static_cast<size_t>(row.mapping)];
  CHECK(policy.find_destination(row.protocol, row.address, row.port) == expected);
}

TEST_CASE("nat/nat_policy: ports of a range keep their distance inside", "[F10]") {
  ConfiguredMapping range = port_map(protocol::udp, kOutside, 6000, 6010, 7000);
  CHECK(range.internal_endpoint(6000) == Endpoint{kServer, 7000});
  CHECK(range.internal_endpoint(6010) == Endpoint{kServer, 7010});
  CHECK(one_to_one(kOther, kHost).internal_endpoint(6010) == Endpoint{kHost, 6010});
}

TEST_CASE("nat/nat_policy: port maps come before one-to-one, which takes every protocol",
          "[F08][F10]") {
  NatPolicy policy;
  policy.mappings = {one_to_one(kOther, kHost), port_map(protocol::tcp, kOther, 25, 25, 25)};
  policy.seal();
  CHECK(policy.find_destination(protocol::tcp, kOther, 25)->internal == kServer);
  CHECK(policy.find_destination(protocol::udp, kOther, 25)->internal == kHost);
  CHECK(policy.find_destination(protocol::tcp, kOther, 80)->internal == kHost);
  CHECK(policy.find_destination(protocol::esp, kOther, 0)->internal == kHost);
  CHECK(policy.find_destination(protocol::tcp, kOutside, 25) == nullptr);
}

TEST_CASE("nat/nat_policy: one-to-one holds on the way out of its interface", "[F08]") {
  NatPolicy policy;
  policy.mappings = {one_to_one(kOther, kHost, kWan),
                     one_to_one(Ipv4Address(198, 51, 100, 9), kHost, kDmz)};
  policy.seal();
  CHECK(policy.find_one_to_one(kHost, kWan)->external == kOther);
  CHECK(policy.find_one_to_one(kHost, kDmz)->external == Ipv4Address(198, 51, 100, 9));
  CHECK(policy.find_one_to_one(kHost, kLan) == nullptr);
  CHECK(policy.find_one_to_one(kServer, kWan) == nullptr);
}

TEST_CASE("nat/nat_policy: overlapping random port maps are found as in the list") {
  std::mt19937 random(GENERATE(1u, 2u, 3u, 4u));
  NatPolicy policy;
  for (int i = 0; i < 60; ++i) {
    uint8_t proto = random() % 2 ? protocol::tcp : protocol::udp;
    auto first = static_cast<uint16_t>(random() % 200);
    auto last = static_cast<uint16_t>(first + random() % 40);
    if (i == 30) first = 0, last = 65535;
    policy.mappings.push_back(port_map(proto, random() % 2 ? kOutside : kOther, first, last, 1));
  }
  policy.seal();
  unsigned wrong = 0;
  for (uint8_t proto : {protocol::tcp, protocol::udp}) {
    for (Ipv4Address address : {kOutside, kOther, kServer}) {
      for (unsigned port = 0; port < 65536; port += port < 300 ? 1 : 101) {
        const ConfiguredMapping* expected = nullptr;
        for (const auto& mapping : policy.mappings) {
          if (mapping.protocol == proto && mapping.external == address &&
              mapping.first_external <= port && port <= mapping.last_external) {
            expected = &mapping;
            break;
          }
        }
        wrong += policy.find_destination(proto, address, static_cast<uint16_t>(port)) != expected;
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("nat/nat_policy: the first source rule that matches decides", "[F09]") {
  NatPolicy policy;
  SourceRule exception, masquerade;
  exception.name = "branch";
  exception.out = set_of(kWan);
  exception.to = only(Ipv4Address(10, 0, 0, 0), Ipv4Address(10, 255, 255, 255));
  masquerade.name = "all";
  masquerade.out = set_of(kWan);
  masquerade.from = only(Ipv4Address(192, 168, 1, 0), Ipv4Address(192, 168, 1, 255));
  masquerade.action = SourceAction::masquerade;
  policy.source_rules = {exception, masquerade};
  policy.seal();
  CHECK(policy.find_source_rule(query_of(kHost, Ipv4Address(10, 9, 0, 1)))->name == "branch");
  CHECK(policy.find_source_rule(query_of(kHost, Ipv4Address(198, 51, 100, 7)))->name == "all");
  CHECK(policy.find_source_rule(query_of(kHost, Ipv4Address(198, 51, 100, 7), kDmz)) == nullptr);
  CHECK(policy.find_source_rule(query_of(Ipv4Address(192, 168, 2, 1), kOutside)) == nullptr);
}

TEST_CASE("nat/nat_policy: a source rule matches services and interfaces", "[F06][F09]") {
  NatPolicy policy;
  SourceRule rule;
  rule.in = set_of(kLan) | set_of(kGateway);
  rule.services = {{false, protocol::tcp, 80, 80}};
  policy.source_rules = {rule};
  policy.seal();
  FlowQuery query = query_of(kHost, kOther);
  CHECK(policy.find_source_rule(query) != nullptr);
  query.in = kGateway;
  CHECK(policy.find_source_rule(query) != nullptr);
  query.in = kDmz;
  CHECK(policy.find_source_rule(query) == nullptr);
  query.in = kNoInterface;
  CHECK(policy.find_source_rule(query) == nullptr);
  query = query_of(kHost, kOther);
  query.destination_port = 81;
  CHECK(policy.find_source_rule(query) == nullptr);
}

TEST_CASE("nat/nat_policy: a host has one address of a pool, and masquerade has the interface's",
          "[RFC4787-REQ2][F06]") {
  NatPolicy policy;
  policy.masquerade_address = {{}, kOutside};
  policy.seal();
  SourceRule rule;
  CHECK(policy.address_for(rule, kHost, kWan).is_unspecified());
  rule.action = SourceAction::masquerade;
  CHECK(policy.address_for(rule, kHost, kWan) == kOutside);
  CHECK(policy.address_for(rule, kHost, kLan).is_unspecified());
  CHECK(policy.address_for(rule, kHost, kGateway).is_unspecified());
  rule.action = SourceAction::pool;
  CHECK(policy.address_for(rule, kHost, kWan).is_unspecified());
  rule.pool = {kOutside, kOther};
  std::set<Ipv4Address> used;
  for (uint8_t host = 1; host < 50; ++host) {
    Ipv4Address inside(192, 168, 1, host);
    used.insert(policy.address_for(rule, inside, kWan));
    CHECK(policy.address_for(rule, inside, kWan) == policy.address_for(rule, inside, kDmz));
  }
  CHECK(used == std::set<Ipv4Address>{kOutside, kOther});
}

TEST_CASE("nat/nat_policy: external addresses and dynamic ports are found after sealing") {
  NatPolicy policy;
  policy.external_addresses = {{kOther, kWan, false, true}, {kOutside, kWan, true, false}};
  policy.reserved_ports = {8080, 5000};
  policy.seal();
  CHECK(policy.find_external_address(kOutside)->dynamic);
  CHECK(policy.find_external_address(kOther)->answers_arp);
  CHECK(policy.find_external_address(kHost) == nullptr);
  CHECK(policy.is_dynamic_port(1024));
  CHECK(policy.is_dynamic_port(65535));
  CHECK_FALSE(policy.is_dynamic_port(1023));
  CHECK_FALSE(policy.is_dynamic_port(5000));
  CHECK_FALSE(policy.is_dynamic_port(8080));
}

}  // namespace postern
