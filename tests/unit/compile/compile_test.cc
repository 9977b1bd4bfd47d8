// SPDX-License-Identifier: BSD-3-Clause
#include "control/compile/compile.h"

#include "control/compile/lower.h"
#include "control/compile/policy_text.h"
#include "unit/compile/compiled.h"

namespace postern {
namespace {

constexpr InterfaceId kWan = 0, kLan = 1, kOld = 2, kDmz = 3;

// Two addresses outside, one interface out of use.
const std::string kOffice = R"(
version: 1
interfaces:
  wan: { port: "kernel:e0", zone: external, address: [203.0.113.1/24, 203.0.113.2/24] }
  lan: { port: "kernel:e1", zone: internal, address: 192.168.1.1/24, mtu: 1400,
         mac: "02:00:00:00:00:11" }
  old: { port: "kernel:e2", zone: internal, address: 10.5.0.1/24, enabled: false }
  dmz: { port: "kernel:e3", zone: dmz, address: 10.9.0.1/24, mss_clamp: off,
         spoof_allow: [172.16.0.0/12] }
)";

std::string with(const std::string& rest) {
  return kOffice + rest;
}

std::string rule_text(const Policy& policy, uint16_t index) {
  return policy.rules.at(index).name + ": " + to_text(policy.rules.at(index), policy);
}

Ipv4Address address(const char* text) {
  return *parse_ipv4(text);
}

}  // namespace

TEST_CASE("compile: many rules with one long list are refused before they take the memory") {
  config::Model model = model_of(kOffice);
  config::Object list;
  list.name = "long";
  for (uint32_t i = 0; i < 4000; ++i)
    list.items.push_back(to_text(Ipv4Address(0x0B000000 + i * 2)));
  model.objects.addresses.push_back(list);
  config::FilterRule rule;
  rule.from = {"long"};
  for (int i = 0; i < 600; ++i) {
    rule.name = "r" + std::to_string(i);
    model.filter.rules.push_back(rule);
  }
  auto policy = compile(model, CompileInputs{});
  REQUIRE_FALSE(policy);
  INFO(policy.error().text);
  CHECK(policy.error().text.rfind("filter.rules.r499: from: the rules come to more than", 0) == 0);
  model.filter.rules.resize(400);
  CHECK(compile(model, CompileInputs{}));
}

TEST_CASE("compile: interfaces keep their places, disabled ones do not exist") {
  CompileInputs inputs;
  inputs.generation = 7;
  inputs.shards = Shards(3);
  inputs.ports.resize(4);
  inputs.ports[kWan] = {*parse_mac("02:00:00:00:00:01"), 9000};
  inputs.ports[kLan] = {*parse_mac("02:00:00:00:00:02"), 1300};
  auto policy = compiled(kOffice, inputs);
  CHECK(policy->generation == 7);
  CHECK(policy->shards.workers() == 3);
  CHECK(policy->rule_counters.size() == 3);
  REQUIRE(policy->interfaces.size() == 4);
  CHECK(policy->interfaces[kOld].name == "old");
  CHECK_FALSE(policy->interfaces[kOld].exists);
  CHECK(policy->interfaces[kDmz].exists);
  CHECK(to_text(policy->interfaces[kWan].mac) == "02:00:00:00:00:01");
  CHECK(to_text(policy->interfaces[kLan].mac) == "02:00:00:00:00:11");
  CHECK(policy->interfaces[kWan].mtu == 1500);
  CHECK(policy->interfaces[kLan].mtu == 1300);
}

TEST_CASE("compile: the segment size follows the MTU unless it is off or given") {
  auto policy = compiled(kOffice);
  CHECK(policy->interfaces[kWan].mss_max == 1460);
  CHECK(policy->interfaces[kLan].mss_max == 1360);
  CHECK(policy->interfaces[kDmz].mss_max == 0);
  auto model = model_of(kOffice);
  model.interfaces[kDmz].mss_clamp = 1200;
  CHECK(compiled(model)->interfaces[kDmz].mss_max == 1200);
}

TEST_CASE("compile: spoof_allow is no address unless it is given", "[F26]") {
  auto policy = compiled(kOffice);
  CHECK_FALSE(policy->interfaces[kLan].spoof_allow.contains(address("172.16.0.1")));
  CHECK(policy->interfaces[kDmz].spoof_allow.contains(address("172.16.0.1")));
  CHECK(policy->may_come_from(address("172.16.0.1"), kDmz));
}

TEST_CASE("compile: routes are own addresses, connected networks and static ones") {
  auto policy = compiled(with(R"(
routes:
  - { to: default, via: 203.0.113.254 }
  - { to: 10.8.0.0/16, via: 192.168.1.2 }
)"));
  const Route* route = policy->routes.find(address("203.0.113.2"));
  REQUIRE(route);
  CHECK(route->interface == kGateway);
  route = policy->routes.find(address("203.0.113.3"));
  REQUIRE(route);
  CHECK((route->interface == kWan && route->connected && route->via.is_unspecified()));
  route = policy->routes.find(address("10.8.1.1"));
  REQUIRE(route);
  CHECK((route->interface == kLan && !route->connected));
  CHECK(route->via == address("192.168.1.2"));
  // The network of a disabled interface is nobody's: it follows the default route.
  route = policy->routes.find(address("10.5.0.1"));
  REQUIRE(route);
  CHECK(route->interface == kWan);
}

TEST_CASE("compile: a static route cannot take a connected network or an own address away") {
  auto model = model_of(kOffice);
  model.routes = {{*parse_prefix("192.168.1.0/24"), address("203.0.113.254"), "", {}},
                  {*parse_prefix("192.168.1.1/32"), address("203.0.113.254"), "", {}}};
  auto policy = compiled(model);
  CHECK(policy->routes.find(address("192.168.1.9"))->interface == kLan);
  CHECK(policy->is_own_address(address("192.168.1.1")));
}

TEST_CASE("compile: a route by a disabled interface is left out", "[C03]") {
  auto model = model_of(kOffice);
  model.routes = {{*parse_prefix("10.8.0.0/16"), address("10.5.0.2"), "", {}},
                  {*parse_prefix("10.7.0.0/16"), address("10.5.0.2"), "old", {}}};
  auto policy = compiled(model);
  CHECK(policy->routes.find(address("10.8.0.1")) == nullptr);
  CHECK(policy->routes.find(address("10.7.0.1")) == nullptr);
}

TEST_CASE("compile: names of interfaces, zones and the gateway become sets", "[F15][F16]") {
  auto policy = compiled(with(R"(
objects:
  addresses: { team: [192.168.1.10-192.168.1.20, more], more: [192.168.1.21, 10.0.0.0/8] }
  services: { web: [tcp/80, tcp/443] }
filter:
  rules:
    - { name: a, in: [internal, gateway], out: wan, action: permit }
    - { name: b, in: old, action: permit }
    - { name: c, from: team, to: gateway, service: [web, icmp/echo-request], log: true,
        action: deny }
    - { name: d, from: any, to: [gateway, 203.0.113.3], to_original: 203.0.113.2, tcp: opening,
        action: continue }
    - { name: e, scope: own, emergency: true, action: permit }
    - { name: f, enabled: false, action: drop }
)"));
  REQUIRE(policy->rules.size() == 6);
  CHECK(rule_text(*policy, 0) == "a: in lan gateway out wan permit");
  CHECK(rule_text(*policy, 1) == "b: in none permit");
  CHECK(rule_text(*policy, 2) ==
        "c: from 10.0.0.0/8 192.168.1.10-192.168.1.21 to 10.9.0.1 192.168.1.1 "
        "203.0.113.1-203.0.113.2 service icmp/8, tcp/80, tcp/443 deny log");
  CHECK(rule_text(*policy, 3) ==
        "d: to 10.9.0.1 192.168.1.1 203.0.113.1-203.0.113.3 to-original 203.0.113.2 tcp opening "
        "continue");
  CHECK(rule_text(*policy, 4) == "e: scope own permit emergency");
  CHECK(rule_text(*policy, 5) == "f: drop (not in force)");
  CHECK(policy->rules.at(0).line == 16);
}

TEST_CASE("compile: a rule with times is in force in its minutes only", "[F34]") {
  auto text = with(R"(
objects:
  times: { office: "mon-fri 08:00-18:00" }
filter:
  rules: [ { name: a, when: office, action: permit } ]
)");
  struct Row {
    uint32_t minute;
    bool enabled;
  };
  auto row =
      GENERATE(Row{8 * 60 - 1, false}, Row{8 * 60, true}, Row{18 * 60 - 1, true},
               Row{18 * 60, false}, Row{4 * 1440 + 9 * 60, true}, Row{5 * 1440 + 9 * 60, false});
  CompileInputs inputs;
  inputs.minute_of_week = row.minute;
  CHECK(compiled(text, inputs)->rules.at(0).enabled == row.enabled);
}

TEST_CASE("compile: the windows sharing guard stands above all rules, both ways", "[F30]") {
  auto model = model_of(with(R"(
filter: { rules: [ { name: all, action: permit } ] }
)"));
  model.interfaces[kWan].windows_sharing = config::SharingGuard::block;
  auto policy = compiled(model);
  REQUIRE(policy->rules.size() == 3);
  const std::string ports =
      "service tcp/135, tcp/137-139, tcp/445, udp/135, udp/137-139, udp/445 drop";
  CHECK(rule_text(*policy, 0) == "guard/windows-sharing/wan/in: in wan " + ports);
  CHECK(rule_text(*policy, 1) == "guard/windows-sharing/wan/out: out wan " + ports);
  CHECK(policy->rules.at(0).line == 0);
  CHECK(policy->rules.at(2).name == "all");
}

TEST_CASE("compile: trusted hosts pass the windows sharing guard to the user's rules", "[F30]") {
  auto model = model_of(kOffice);
  model.interfaces[kLan].windows_sharing = config::SharingGuard::trusted;
  model.interfaces[kLan].windows_sharing_trusted = {"192.168.1.10-192.168.1.20", "10.0.0.1"};
  auto policy = compiled(model);
  FlowQuery query;
  query.in = kLan;
  query.out = kDmz;
  query.protocol = protocol::tcp;
  query.destination_port = 445;
  query.destination = query.original_destination = address("10.9.0.5");
  for (auto [source, rule] : {std::pair("192.168.1.9", 0),
                              {"192.168.1.10", int{kNoRule}},
                              {"192.168.1.20", int{kNoRule}},
                              {"192.168.1.21", 0},
                              {"10.0.0.1", int{kNoRule}},
                              {"255.255.255.255", 0}}) {
    INFO(source);
    query.source = address(source);
    CHECK(policy->rules.find_first(query) == rule);
  }
  std::swap(query.in, query.out);
  query.source = address("10.9.0.5");
  query.destination = address("192.168.1.15");
  CHECK(policy->rules.find_first(query) == kNoRule);
  query.destination = address("192.168.1.30");
  CHECK(policy->rules.find_first(query) == 1);
}

TEST_CASE("compile: a rule may not take the name of an added one") {
  auto model = model_of(kOffice);
  model.interfaces[kWan].windows_sharing = config::SharingGuard::block;
  model.filter.rules.resize(1);
  model.filter.rules[0].name = "guard/windows-sharing/wan/in";
  auto policy = compile(model, {});
  REQUIRE_FALSE(policy);
  CHECK(policy.error().text == "filter.rules: two rules are called 'guard/windows-sharing/wan/in'");
}

TEST_CASE("compile: an item that does not resolve is named with its place") {
  auto model = model_of(kOffice);
  model.filter.rules.resize(1);
  model.filter.rules[0].name = "broken";
  model.filter.rules[0].from = {"nobody"};
  auto policy = compile(model, {});
  REQUIRE_FALSE(policy);
  CHECK(policy.error().text == "filter.rules.broken: from: unknown name 'nobody'");
}

TEST_CASE("compile: posture, default logging and timeouts come from the file", "[F22]") {
  auto policy = compiled(with(R"(
system: { timeouts: { udp: 120s, icmp_query: 61s } }
filter: { posture: cut_off, log_default: false }
)"));
  CHECK(policy->rules.posture() == Posture::cut_off);
  CHECK_FALSE(policy->rules.log_default());
  CHECK(policy->timeouts.of[static_cast<unsigned>(TimeoutClass::udp)] == seconds(120));
  CHECK(policy->timeouts.of[static_cast<unsigned>(TimeoutClass::icmp_query)] == seconds(61));
  CHECK(policy->timeouts.of[static_cast<unsigned>(TimeoutClass::tcp_established)] == seconds(7440));
}

TEST_CASE("compile: sets of ranges join what touches and know all addresses") {
  auto set = compiler::set_of_ranges({{address("10.0.0.9"), address("10.0.0.12")},
                                      {address("10.0.0.1"), address("10.0.0.8")},
                                      {address("10.0.0.14"), address("255.255.255.255")}});
  CHECK(to_text(set) == "10.0.0.1-10.0.0.12 10.0.0.14-255.255.255.255");
  CHECK(to_text(compiler::complement_of(set)) == "0.0.0.0-10.0.0.0 10.0.0.13");
  CHECK(to_text(compiler::complement_of(AddressSet{})) == "none");
  CHECK(to_text(compiler::complement_of({{}, false})) == "any");
  CHECK(compiler::set_of_ranges({{Ipv4Address(0), address("9.255.255.255")},
                                 {address("10.0.0.0"), Ipv4Address(0xFFFFFFFF)}})
            .any);
}

}  // namespace postern
