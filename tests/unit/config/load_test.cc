// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/load.h"

#include <catch2/catch.hpp>
#include <ctime>

namespace postern::config {
namespace {

std::string all_text(const Loaded& loaded) {
  std::string out;
  for (const Finding& finding : loaded.findings)
    out += to_text(finding, "x") + "\n";
  return out;
}

Loaded load_good(std::string_view text) {
  Loaded loaded = load(text);
  INFO(all_text(loaded));
  REQUIRE(loaded.ok());
  return loaded;
}

constexpr std::string_view kOffice = R"(version: 1
system:
  name: office
  workers: { count: 2, cores: [2, 3], idle: poll }
  memory: { hugepages: required, mib: 512 }
  timeouts: { udp: 5m, tcp_established: 3h }
interfaces:
  wan:
    port: "pci:03:00.0"
    zone: external
    address: [203.0.113.2/24, 203.0.113.3/24]
    mac: 02:00:00:00:00:01
    mss_clamp: off
    windows_sharing: block
  lan:
    port: kernel:eth1
    driver: af_packet
    zone: internal
    address: 192.168.1.1/24
    neighbors: { 192.168.1.10: 02:00:00:00:00:10 }
    spoof_allow: [web-team, 10.9.0.0/16]
    windows_sharing: { trusted: 192.168.1.0/24 }
routes:
  - { to: default, via: 203.0.113.1 }
  - { to: 10.9.0.0/16, via: 192.168.1.254, interface: lan }
objects:
  addresses: { web-team: [192.168.1.10-192.168.1.20, 192.168.1.64/26] }
  services: { http: tcp/80, web: [http, tcp/443] }
  times: { office: "mon-fri 08:00-18:00" }
nat:
  ports: 2048-60000
  reserved_ports: [22]
  source:
    - { out: wan, to: 10.0.0.0/8, action: none }
    - { name: hide, out: wan, action: masquerade, mapping: address_dependent }
  one_to_one: [ { external: 203.0.113.9, internal: 192.168.1.9, on: wan } ]
  port_maps:
    - { name: mail, on: wan, service: tcp/25, to: 192.168.1.5:2525, allow_from: any }
filter:
  rules:
    - { name: web, in: internal, out: wan, from: web-team, service: web, when: office,
        action: permit }
    - { name: count, in: any, from: any, action: continue }
    - { name: cleanup, action: drop, log: true }
logging: { level: debug, security: { console: true } }
)";

}  // namespace

TEST_CASE("config/load: a good file becomes the model it describes") {
  Model m = load_good(kOffice).model;
  CHECK(m.system.workers == Workers{2, {2, 3}, IdleMode::poll});
  CHECK(m.system.memory == Memory{HugepageMode::required, 512});
  CHECK(m.system.timeouts.udp == seconds(300));
  CHECK(m.system.timeouts.tcp_transitory == seconds(240));
  REQUIRE(m.interfaces.size() == 2);
  const Interface& wan = m.interfaces[0];
  CHECK(wan.name == "wan");
  CHECK(wan.port == Port{PortKind::pci, "0000:03:00.0", KernelDriver::automatic});
  CHECK(wan.addresses ==
        std::vector{*parse_prefix("203.0.113.2/24"), *parse_prefix("203.0.113.3/24")});
  CHECK(wan.mac == parse_mac("02:00:00:00:00:01"));
  CHECK(wan.mss_clamp == kMssClampOff);
  CHECK(wan.windows_sharing == SharingGuard::block);
  const Interface& lan = m.interfaces[1];
  CHECK(lan.port == Port{PortKind::kernel, "eth1", KernelDriver::af_packet});
  REQUIRE(lan.neighbors.size() == 1);
  CHECK(lan.neighbors[0].address == Ipv4Address(192, 168, 1, 10));
  CHECK(lan.spoof_allow == std::vector<std::string>{"web-team", "10.9.0.0/16"});
  CHECK(lan.windows_sharing == SharingGuard::trusted);
  REQUIRE(m.routes.size() == 2);
  CHECK(m.routes[0].to == Prefix{});
  CHECK(m.routes[1].interface == "lan");
  CHECK(m.nat.first_port == 2048);
  CHECK(m.nat.source[0].name == "source-1");
  CHECK(m.nat.source[0].action == SourceAction::none);
  CHECK(m.nat.source[1].mapping == MappingBehavior::address_dependent);
  CHECK(m.nat.one_to_one[0].name == "one-to-one-1");
  CHECK(m.nat.port_maps[0].to_port == 2525);
  CHECK(m.nat.port_maps[0].allow_from == std::vector<std::string>{"any"});
  REQUIRE(m.filter.rules.size() == 3);
  CHECK(m.filter.rules[0].in == std::vector<std::string>{"internal"});
  CHECK(m.filter.rules[1].in.empty());
  CHECK(m.filter.rules[1].action == RuleAction::next);
  CHECK(m.filter.rules[2].log);
  CHECK(m.logging.level == LogLevel::debug);
  CHECK(m.logging.file(LogName::security).console);
  CHECK(m.logging.file(LogName::error).console);
}

TEST_CASE("config/load: items carry the place where they stand") {
  Model m = load_good(kOffice).model;
  CHECK(m.interfaces[1].mark.line == 15);
  CHECK(m.interfaces[1].mark.column == 3);
  CHECK(m.filter.rules[2].mark.line == 44);
  CHECK(m.filter.rules[2].mark.column == 7);
}

TEST_CASE("config/load: ten thousand rules load in linear time") {
  std::string text =
      "version: 1\ninterfaces: { wan: { port: kernel:eth0, zone: external, address: "
      "203.0.113.2/24 } }\nobjects: { addresses: { team: [10.0.0.1-10.0.0.9, 10.1.0.0/16] } }\n"
      "filter:\n  rules:\n";
  for (int i = 0; i < 10'000; ++i) {
    text += "    - { name: r" + std::to_string(i) + ", in: wan, from: team, service: tcp/" +
            std::to_string(i + 1) + ", action: permit }\n";
  }
  std::clock_t begin = std::clock();
  Loaded loaded = load_good(text);
  CHECK(loaded.model.filter.rules.size() == 10'000);
  // A tenth of this where nothing else runs; sanitizers and loaded machines need the rest.
  CHECK(std::clock() - begin < 4 * CLOCKS_PER_SEC);
}

TEST_CASE("config/load: findings without end are counted, and stay errors") {
  std::string text = "version: 1\n";
  for (int i = 0; i < 3000; ++i)
    text += "k" + std::to_string(i) + ": 1\n";
  Loaded loaded = load(text);
  CHECK_FALSE(loaded.ok());
  REQUIRE(loaded.findings.size() == 1001);
  CHECK(to_text(loaded.findings.back(), "x") == "x: error: 2001 more findings are not shown");
}

}  // namespace postern::config
