// SPDX-License-Identifier: BSD-3-Clause
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "control/compile/policy_text.h"
#include "control/explain/explain.h"
#include "control/services/http_judge.h"
#include "dataplane/pipeline/owner.h"
#include "unit/compile/compiled.h"

namespace postern {
namespace {

const std::string kHead = R"(
version: 1
interfaces:
  wan: { port: "kernel:e0", zone: external, address: 203.0.113.1/24 }
  lan: { port: "kernel:e1", zone: internal, address: 192.168.1.1/24 }
  dmz: { port: "kernel:e2", zone: dmz, address: 10.9.0.1/24 }
routes: [ { to: default, via: 203.0.113.254 } ]
objects: { addresses: { team: [192.168.1.10, 192.168.1.12-192.168.1.20] } }
filter:
  rules:
    - { name: no-games, in: lan, to: 198.51.100.66, action: drop }
    - { name: out, in: [lan, dmz, gateway], action: permit }
services:
  http:
)";

std::unique_ptr<Policy> policy_of(const std::string& http, bool is_served = true,
                                  unsigned workers = 1) {
  CompileInputs inputs;
  inputs.http_is_served = is_served;
  inputs.shards = Shards(workers);
  return compiled(kHead + http, inputs);
}

FlowKey key_of(Ipv4Address source, Ipv4Address destination) {
  FlowKey key;
  key.source = source.wire();
  key.destination = destination.wire();
  key.source_port = be16(5000);
  key.destination_port = be16(80);
  key.protocol = protocol::tcp;
  return key;
}

Decision decided(const Policy& policy, Ipv4Address source, Ipv4Address destination) {
  FirstPacket first;
  first.in = 1;
  first.key = key_of(source, destination);
  first.tcp_flags = tcp_flag::syn;
  return decide(policy, first, nullptr);
}

constexpr Ipv4Address kClient(192, 168, 1, 10), kServer(198, 51, 100, 7);

}  // namespace

TEST_CASE("compile/interception: interfaces, networks and ports are those of the proxy", "[F56]") {
  const auto text = [](const std::string& http) {
    const std::string all = to_text(*policy_of(http));
    const size_t at = all.find("interception");
    return at == std::string::npos ? std::string() : all.substr(at);
  };
  CHECK(text("    port: 3128\n").empty());
  CHECK(text("    enabled: false\n    transparent: {}\n").empty());
  CHECK(text("    transparent: {}\n") ==
        "interception in lan out wan from 192.168.1.0/24 ports 80\n");
  CHECK(text("    from: team\n    transparent: {}\n") ==
        "interception in lan out wan from 192.168.1.10 192.168.1.12-192.168.1.20 ports 80\n");
  CHECK(text("    listen: [lan, dmz]\n"
             "    transparent: { from: team, ports: [80, 8080], except: 198.51.100.0/25 }\n") ==
        "interception in lan dmz out wan from 192.168.1.10 192.168.1.12-192.168.1.20 "
        "except 198.51.100.0/25 ports 80 8080\n");
}

TEST_CASE("compile/interception: without a proxy that listens, connections are denied", "[F56]") {
  const auto policy = policy_of("    transparent: {}\n", false);
  const Decision decision = decided(*policy, kClient, kServer);
  CHECK(decision.outcome == Outcome::deny);
  CHECK(decision.reason == DropReason::http_proxy_down);
  // What the filter refuses is refused by the filter.
  const Decision refused = decided(*policy, kClient, Ipv4Address(198, 51, 100, 66));
  CHECK(refused.outcome == Outcome::drop);
  CHECK(refused.reason == DropReason::filter_drop);
  CHECK_FALSE(refused.intercepted);
}

TEST_CASE("compile/interception: what is intercepted may be fetched, what is refused may not",
          "[F58]") {
  for (const bool is_served : {true, false}) {
    const auto policy = policy_of("    transparent: {}\n", is_served);
    CHECK(may_reach(*policy, nullptr, {kClient, 5000, kServer, 80}));
    CHECK_FALSE(may_reach(*policy, nullptr, {kClient, 5000, Ipv4Address(198, 51, 100, 66), 80}));
  }
}

TEST_CASE("compile/interception: both directions belong to one worker", "[F56][P05]") {
  const auto policy = policy_of("    transparent: {}\n", true, 7);
  for (uint8_t host = 2; host < 250; ++host) {
    const FlowKey key = key_of(Ipv4Address(192, 168, 1, host), Ipv4Address(198, 51, 100, host));
    const WorkerId owner = owner_of(*policy, key, 1, 0);
    CHECK(owner == owner_of(*policy, key.reversed(), kGateway, 0));
  }
}

TEST_CASE("explain: a connection that the HTTP proxy answers", "[C04][F56]") {
  const ExplainJson request = {
      {"in", "lan"}, {"src", "192.168.1.10:5000"}, {"dst", "198.51.100.7:80"}, {"proto", "tcp"}};
  auto told = answer_explain(*policy_of("    transparent: {}\n"), request);
  REQUIRE(told);
  CHECK((*told)["verdict"] == "host");
  CHECK((*told)["out"] == "gateway");
  CHECK((*told)["rule"] == "out");
  CHECK_FALSE(told->contains("next_hop"));
  CHECK((*told)["sent"]["destination"] == "198.51.100.7:80");
  CHECK((*told)["stages"].back()["stage"] == "http-proxy");
  CHECK(text_of(*told).find("the HTTP proxy answers in its place") != std::string::npos);

  told = answer_explain(*policy_of("    transparent: {}\n", false), request);
  REQUIRE(told);
  CHECK((*told)["verdict"] == "deny");
  CHECK((*told)["reason"] == "http_proxy_down");
  CHECK((*told)["stages"].back()["result"] == "refused");
}

}  // namespace postern
