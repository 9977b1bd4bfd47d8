// SPDX-License-Identifier: BSD-3-Clause
// Reloads by the real publisher while workers have packets under way; the thousandfold on the bare
// pipeline is tests/unit/pipeline/reload_test.cc.
#include <algorithm>
#include <catch2/catch.hpp>

#include "runtime/ring_bed.h"
#include "support/packet_builder.h"
#include "support/packet_match.h"

namespace postern::test {
namespace {

constexpr unsigned kRules = 200, kReloads = 40, kFlows = 16;

std::string office(bool opens) {
  std::string yaml = R"(version: 1
interfaces:
  lan: { port: "vdev:net_null0", zone: internal, address: 192.168.1.1/24 }
  wan: { port: "vdev:net_null1", zone: external, address: 203.0.113.2/24 }
routes: [ { to: default, via: 203.0.113.1 } ]
nat: { source: [ { out: wan, action: masquerade } ] }
filter:
  rules:
    - { name: never, to: 198.51.100.13, action: drop }
)";
  for (unsigned i = 0; i < kRules; ++i) {
    yaml += "    - { name: r" + std::to_string(i) + ", in: lan, to: 10.0." + std::to_string(i) +
            ".0/24, action: permit }\n";
  }
  yaml += std::string("    - { name: at-times, to: 198.51.100.66, action: ") +
          (opens ? "permit" : "drop") + " }\n";
  return yaml + "    - { name: out, in: lan, out: wan, action: permit }\n";
}

Frame frame_to(RingBed& bed, unsigned host, const std::string& remote) {
  return udp("192.168.1." + std::to_string(10 + host) + ":5000", remote + ":53")
      .to_mac(bed.gateway_mac("lan"))
      .build();
}

}  // namespace

TEST_CASE("runtime: reloads under load lose nothing and let nothing slip through", "[C02][P05]") {
  RingBed bed(GENERATE(1u, 2u));
  REQUIRE(bed.load(office(true)));
  bed.inject("lan", frame_to(bed, 0, "198.51.100.7").bytes());  // the router is known from here on
  size_t allowed = 0, blocked = 0, refused = 0;
  auto settle = [&] {
    for (const Effect& effect : bed.settle()) {
      const bool leaves = effect.kind == Effect::Kind::out;
      const std::string to = leaves ? describe(effect.frame).destination : "";
      allowed += to == "198.51.100.7" ? 1 : 0;
      blocked += to == "198.51.100.13" ? 1 : 0;
      refused += effect.reason == DropReason::filter_drop ? 1 : 0;
    }
  };
  for (unsigned reload = 0; reload < kReloads; ++reload) {
    for (unsigned flow = 0; flow < kFlows; ++flow) {
      bed.wire("lan").put(0, frame_to(bed, flow, "198.51.100.7").bytes());
      if (flow % 4 == 0) bed.wire("lan").put(0, frame_to(bed, flow, "198.51.100.13").bytes());
    }
    bed.wire("lan").put(0, frame_to(bed, 0, "198.51.100.66").bytes());
    REQUIRE(bed.load(office(reload % 2 == 1)));
    if (reload % 8 == 7) settle();
  }
  settle();
  CHECK(allowed == size_t{kReloads} * kFlows);
  CHECK(blocked == 0);
  CHECK(refused >= kReloads * kFlows / 4);
  CHECK(bed.counter("sessions_ended_by_policy") > 0);
}

}  // namespace postern::test
