// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "control/compile/policy_text.h"
#include "unit/compile/compiled.h"

namespace postern {
namespace {

constexpr InterfaceId kWan = 0, kLan = 1;

const std::string kOffice = R"(
version: 1
interfaces:
  wan: { port: "kernel:e0", zone: external, address: [203.0.113.1/24, 203.0.113.2/24] }
  lan: { port: "kernel:e1", zone: internal, address: 192.168.1.1/24 }
  old: { port: "kernel:e2", zone: external, address: 198.51.100.1/24, enabled: false }
)";

std::unique_ptr<Policy> office(const std::string& nat) {
  return compiled(kOffice + nat);
}

std::vector<std::string> mapping_texts(const Policy& policy) {
  std::vector<std::string> texts;
  for (const ConfiguredMapping& mapping : policy.nat.mappings) {
    texts.push_back(mapping.name + " " + to_text(mapping));
  }
  return texts;
}

std::vector<std::string> external_texts(const Policy& policy) {
  std::vector<std::string> texts;
  for (const auto& external : policy.nat.external_addresses) {
    texts.push_back(to_text(external.address) + (external.dynamic ? " dynamic" : "") +
                    (external.answers_arp ? " arp" : ""));
  }
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("compile/nat: source rules keep their order, unnamed ones are numbered", "[F06][F09]") {
  auto policy = office(R"(
nat:
  filtering: endpoint_independent
  source:
    - { out: wan, to: 10.0.0.0/8, action: none }
    - { out: wan, enabled: false }
    - { name: voice, in: lan, out: wan, from: 192.168.1.9, service: udp/5060,
        mapping: address_dependent, log: true }
    - { out: wan, action: pool, pool: [203.0.113.16/30, 198.18.0.1] }
)");
  const auto& rules = policy->nat.source_rules;
  REQUIRE(rules.size() == 3);
  CHECK(rules[0].name + ": " + to_text(rules[0], *policy) ==
        "source-1: out wan to 10.0.0.0/8 none");
  CHECK(rules[1].name + ": " + to_text(rules[1], *policy) ==
        "voice: in lan out wan from 192.168.1.9 service udp/5060 masquerade mapping "
        "address_dependent filtering endpoint_independent log");
  CHECK(rules[2].name == "source-4");
  CHECK(rules[2].pool.size() == 5);
  CHECK(policy->nat.masquerade_address[kWan] == *parse_ipv4("203.0.113.1"));
  CHECK(policy->nat.masquerade_address[2].is_unspecified());
  CHECK(external_texts(*policy) == Texts{"198.18.0.1 dynamic arp", "203.0.113.1 dynamic",
                                         "203.0.113.16 dynamic arp", "203.0.113.17 dynamic arp",
                                         "203.0.113.18 dynamic arp", "203.0.113.19 dynamic arp"});
}

TEST_CASE("compile/nat: one to one takes all protocols of an address", "[F08]") {
  auto policy = office(R"(
nat:
  one_to_one:
    - { external: 203.0.113.9, internal: 192.168.1.9, on: wan }
    - { external: 198.51.100.9, internal: 192.168.1.10, on: old }
)");
  REQUIRE(policy->nat.mappings.size() == 1);
  const ConfiguredMapping& mapping = policy->nat.mappings[0];
  CHECK(mapping_texts(*policy) == Texts{"one-to-one-1 203.0.113.9 <-> 192.168.1.9"});
  CHECK((mapping.one_to_one && mapping.on == kWan && !mapping.to_gateway));
  CHECK(external_texts(*policy) == Texts{"203.0.113.9 arp"});
}

TEST_CASE("compile/nat: a port map stands for each address, protocol and range", "[F10]") {
  auto policy = office(R"(
nat:
  source: [ { out: wan } ]
  port_maps:
    - { name: mail, on: wan, service: tcp+udp/25, to: 192.168.1.5 }
    - { name: admin, on: wan, listen: 203.0.113.1, service: tcp/5555, to: "192.168.1.6:44333" }
    - { name: web, on: wan, listen: 203.0.113.7, service: tcp/80-83,
        to: "192.168.1.7:8080" }
    - { name: own, on: wan, listen: 203.0.113.2, service: tcp/2222, to: "192.168.1.1:22",
        hairpin_source: keep }
    - { name: unused, on: wan, service: tcp/99, to: 192.168.1.5, enabled: false }
    - { name: gone, on: old, service: tcp/99, to: 192.168.1.5 }
)");
  CHECK(mapping_texts(*policy) == Texts{
                                      "mail tcp 203.0.113.1:25 -> 192.168.1.5:25",
                                      "mail tcp 203.0.113.2:25 -> 192.168.1.5:25",
                                      "mail udp 203.0.113.1:25 -> 192.168.1.5:25",
                                      "mail udp 203.0.113.2:25 -> 192.168.1.5:25",
                                      "admin tcp 203.0.113.1:5555 -> 192.168.1.6:44333",
                                      "web tcp 203.0.113.7:80-83 -> 192.168.1.7:8080-8083",
                                      "own tcp 203.0.113.2:2222 -> 192.168.1.1:22",
                                  });
  CHECK(policy->nat.mappings.back().to_gateway);
  CHECK(policy->nat.mappings.back().keep_source);
  CHECK_FALSE(policy->nat.mappings.front().to_gateway);
  CHECK(external_texts(*policy) == Texts{"203.0.113.1 dynamic", "203.0.113.2", "203.0.113.7 arp"});
}

TEST_CASE("compile/nat: allow_from adds one permit rule in front of the user's", "[F10]") {
  auto policy = office(R"(
nat:
  port_maps:
    - { name: mail, on: wan, service: tcp+udp/25, to: "192.168.1.5:2525", allow_from: any }
    - { name: ftp, on: wan, listen: 203.0.113.2, service: tcp/20-21, to: 192.168.1.5,
        allow_from: 198.51.100.0/24 }
    - { name: quiet, on: wan, service: tcp/80, to: 192.168.1.5 }
filter: { rules: [ { name: cleanup, action: drop } ] }
)");
  REQUIRE(policy->rules.size() == 3);
  auto text = [&](uint16_t i) {
    return policy->rules.at(i).name + ": " + to_text(policy->rules.at(i), *policy);
  };
  CHECK(text(0) ==
        "port-map/mail: to 192.168.1.5 to-original 203.0.113.1-203.0.113.2 service "
        "tcp/2525, udp/2525 permit mapped-only");
  CHECK(text(1) ==
        "port-map/ftp: from 198.51.100.0/24 to 192.168.1.5 to-original 203.0.113.2 "
        "service tcp/20-21 permit mapped-only");
  CHECK(policy->rules.at(1).line == 11);
  CHECK(text(2) == "cleanup: drop");
}

TEST_CASE("compile/nat: what cannot be mapped is refused") {
  auto model = model_of(kOffice);
  config::PortMap map;
  map.name = "bad";
  map.on = "wan";
  map.to = *parse_ipv4("192.168.1.5");
  SECTION("a protocol without ports") {
    map.service = {"gre"};
  }
  SECTION("source ports") {
    map.service = {"tcp/80 from 1024-65535"};
  }
  SECTION("any service") {
    map.service = {"any"};
  }
  SECTION("more ports than there are") {
    map.service = {"tcp/100-200"};
    map.to_port = 65500;
  }
  model.nat.port_maps = {map};
  auto policy = compile(model, {});
  REQUIRE_FALSE(policy);
  CHECK(policy.error().text.starts_with("nat.port_maps.bad.service: "));
}

TEST_CASE("compile/nat: a pool larger than the tables of ports is refused") {
  auto model = model_of(kOffice);
  model.nat.source.resize(1);
  model.nat.source[0].out = {"wan"};
  model.nat.source[0].action = config::SourceAction::pool;
  model.nat.source[0].pool = {GENERATE("10.0.0.0/8", "any", "10.0.0.0-10.0.1.0")};
  auto policy = compile(model, {});
  REQUIRE_FALSE(policy);
  CHECK(policy.error().text ==
        "nat.source.source-1: pool: more than 256 addresses for translated sources");
}

TEST_CASE("compile/nat: reserved ports are sorted for search") {
  auto policy = office("nat: { ports: 2000-4000, reserved_ports: [2500, 2022], hairpin: false }\n");
  CHECK(policy->nat.first_port == 2000);
  CHECK(policy->nat.last_port == 4000);
  CHECK(policy->nat.reserved_ports == std::vector<uint16_t>{2022, 2500});
  CHECK_FALSE(policy->nat.hairpin);
  CHECK(policy->interfaces[kLan].exists);
}

}  // namespace postern
