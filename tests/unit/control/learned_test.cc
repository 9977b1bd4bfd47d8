// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/learned.h"

#include <catch2/catch.hpp>

#include "control/compile/compile.h"
#include "control/config/load.h"
#include "dataplane/policy/policy.h"

namespace postern {
namespace {

config::Model model_of(const std::string& more = "") {
  config::Loaded loaded = config::load(
      "version: 1\n"
      "interfaces:\n"
      "  wan: { port: kernel:enp1s0, zone: external, address: dhcp }\n"
      "  lan: { port: kernel:enp2s0, zone: internal, address: 192.168.1.1/24 }\n"
      "  wan2: { port: kernel:enp3s0, zone: external, address: dhcp }\n" +
      more + "filter: { rules: [ { name: all, in: lan, action: permit } ] }\n");
  REQUIRE(loaded.ok());
  return loaded.model;
}

dhcp::ClientLease lease_of(const char* address, const char* router,
                           std::vector<dhcp::ClasslessRoute> more = {}) {
  dhcp::ClientLease lease;
  lease.address = *parse_prefix(address);
  lease.server = *parse_ipv4(router);
  lease.routes = {{0, 0, lease.server.number}};
  lease.routes.insert(lease.routes.end(), more.begin(), more.end());
  lease.dns_servers = {lease.server};
  lease.lease_s = 3600;
  return lease;
}

dhcp::ClasslessRoute route(const char* to, const char* via) {
  Prefix prefix = *parse_prefix(to);
  return {prefix.network().number, prefix.length, parse_ipv4(via)->number};
}

// The interface and router by which a policy sends packets to `address`; empty: nowhere.
std::string way(const config::Model& model, const char* address) {
  CompileInputs inputs;
  auto policy = compile(model, inputs);
  REQUIRE(policy);
  const Route* found = (*policy)->routes.find(*parse_ipv4(address));
  if (found == nullptr || found->interface == kGateway) return "";
  return (*policy)->interfaces[found->interface].name + " " +
         to_text(found->next_hop(*parse_ipv4(address)));
}

}  // namespace

TEST_CASE("control/learned: address and routes of a lease are compiled like those of the file",
          "[RFC2131-4.4.1]") {
  config::Model model = model_of();
  CHECK(way(with_leases(model, {}), "198.51.100.1").empty());
  Leases leases{
      {"wan", lease_of("203.0.113.77/24", "203.0.113.1", {route("198.18.0.0/15", "203.0.113.2")})}};
  config::Model full = with_leases(model, leases);
  CHECK(full.interfaces[0].addresses == std::vector<Prefix>{*parse_prefix("203.0.113.77/24")});
  CHECK(way(full, "198.51.100.1") == "wan 203.0.113.1");
  CHECK(way(full, "198.18.0.1") == "wan 203.0.113.2");
  CHECK(learned_servers(model, leases) == std::vector<Ipv4Address>{{203, 0, 113, 1}});
}

TEST_CASE("control/learned: the first interface of the file has the default route") {
  Leases leases{{"wan", lease_of("203.0.113.77/24", "203.0.113.1")},
                {"wan2", lease_of("198.51.100.77/24", "198.51.100.1")}};
  CHECK(way(with_leases(model_of(), leases), "192.0.2.1") == "wan 203.0.113.1");
  leases.erase("wan");
  CHECK(way(with_leases(model_of(), leases), "192.0.2.1") == "wan2 198.51.100.1");
}

TEST_CASE("control/learned: routes of the file stand before those of a lease") {
  config::Model model = model_of(
      "routes:\n  - { to: default, via: 192.168.1.9 }\n"
      "  - { to: 10.0.0.0/8, via: 192.168.1.8 }\n");
  Leases leases{
      {"wan", lease_of("203.0.113.77/24", "203.0.113.1",
                       {route("10.1.0.0/16", "203.0.113.1"), route("10.0.0.0/8", "203.0.113.1"),
                        route("172.16.0.0/12", "203.0.113.1")})}};
  config::Model full = with_leases(model, leases);
  CHECK(way(full, "192.0.2.1") == "lan 192.168.1.9");
  CHECK(way(full, "10.1.2.3") == "lan 192.168.1.8");
  CHECK(way(full, "10.200.2.3") == "lan 192.168.1.8");
  CHECK(way(full, "172.16.2.3") == "wan 203.0.113.1");
}

TEST_CASE("control/learned: nothing inside is led outside by a lease", "[F26]") {
  config::Model model = model_of();
  Leases leases{{"wan", lease_of("203.0.113.77/24", "203.0.113.1",
                                 {route("192.168.1.128/25", "203.0.113.1"),
                                  route("192.168.1.0/24", "203.0.113.1"),
                                  route("192.168.0.0/16", "203.0.113.1")})}};
  leases["wan"].dns_servers = {{192, 168, 1, 9}, {192, 168, 1, 1}, {192, 0, 2, 53}};
  config::Model full = with_leases(model, leases);
  CHECK(way(full, "192.168.1.200") == "lan 192.168.1.200");
  CHECK(way(full, "192.168.1.5") == "lan 192.168.1.5");
  CHECK(way(full, "192.168.2.5") == "wan 203.0.113.1");
  CHECK(learned_servers(model, leases) == std::vector<Ipv4Address>{{192, 0, 2, 53}});
}

TEST_CASE("control/learned: a lease within what is ours is objected to and not compiled",
          "[RFC2131-4.4.1]") {
  config::Model model = model_of(
      "routes:\n  - { to: 10.0.0.0/8, via: 192.168.1.8 }\n"
      "nat:\n  one_to_one:\n    - { external: 203.0.113.9, internal: 192.168.1.9, on: wan }\n");
  auto why = [&](const char* address, const Leases& others = {}) {
    return objection_to(lease_of(address, "203.0.113.1"), "wan", model, others);
  };
  CHECK(why("203.0.113.77/24").empty());
  CHECK(why("192.168.1.77/24") == "192.168.1.77/24 overlaps 192.168.1.0/24 of interface lan");
  CHECK(why("192.168.7.7/16") == "192.168.7.7/16 overlaps 192.168.1.0/24 of interface lan");
  CHECK(why("10.7.7.7/24") == "10.7.7.7/24 is within 10.0.0.0/8, which has a route");
  CHECK(why("203.0.113.9/24") == "203.0.113.9 stands for 192.168.1.9");
  Leases other{{"wan2", lease_of("203.0.113.78/24", "203.0.113.1")}};
  CHECK(why("203.0.113.77/24", other) ==
        "203.0.113.77/24 overlaps 203.0.113.0/24 of interface wan2");
  Leases both = other;
  both["wan"] = lease_of("203.0.113.77/24", "203.0.113.1");
  config::Model full = with_leases(model, both);
  CHECK(full.interfaces[0].addresses.size() == 1);  // the first in the file
  CHECK(full.interfaces[2].addresses.empty());
  Leases own{{"wan", lease_of("203.0.113.78/24", "203.0.113.1")}};
  CHECK(why("203.0.113.77/24", own).empty());
}

}  // namespace postern
