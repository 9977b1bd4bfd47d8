// SPDX-License-Identifier: BSD-3-Clause
// Where control and workers meet: bells and dumps.
#include <poll.h>

#include <catch2/catch.hpp>
#include <set>

#include "dataplane/runtime/doorbell.h"
#include "dataplane/runtime/dump.h"
#include "runtime/ring_bed.h"
#include "support/packet_builder.h"

namespace postern::test {
namespace {

bool is_readable(int fd, int timeout_ms) {
  pollfd ready = {fd, POLLIN, 0};
  return poll(&ready, 1, timeout_ms) == 1;
}

constexpr char kOpen[] = R"(
version: 1
interfaces:
  lan: { port: "vdev:net_null0", zone: internal, address: 192.168.0.1/16 }
  wan: { port: "vdev:net_null1", zone: external, address: 203.0.113.2/24 }
routes: [ { to: default, via: 203.0.113.1 } ]
nat: { source: [ { out: wan, action: masquerade } ] }
filter: { rules: [ { name: out, in: lan, out: wan, action: permit, log: true } ] }
)";

void send_flows(RingBed& bed, unsigned count) {
  for (unsigned flow = 0; flow < count; ++flow) {
    const std::string host =
        "192.168." + std::to_string(1 + flow / 200) + "." + std::to_string(1 + flow % 200);
    const Frame frame = udp(host + ":5000", "198.51.100.7:53")
                            .to_mac(bed.gateway_mac("lan"))
                            .from_mac(bed.neighbor_mac("lan"))
                            .build();
    bed.wire("lan").put(0, frame.bytes());
  }
  bed.settle();
}

// A whole dump of one worker; the blocks must end.
template <typename Row>
std::vector<Row> dump_all(Dump& dump, Dump::What what, std::vector<Row> Dump::Block::*rows) {
  std::vector<Row> all;
  Dump::Block block;
  REQUIRE(dump.ask(what));
  while (true) {
    for (int wait = 0; !dump.poll(block); ++wait) {
      REQUIRE(wait < 20'000);
      poll(nullptr, 0, 1);
    }
    all.insert(all.end(), (block.*rows).begin(), (block.*rows).end());
    if (block.is_last) return all;
    dump.ask_next();
  }
}

}  // namespace

TEST_CASE("runtime/doorbell: rings once for each time it was armed") {
  Doorbell bell;
  CHECK_FALSE(bell.is_armed());
  bell.arm();
  CHECK(bell.is_armed());
  CHECK_FALSE(is_readable(bell.fd(), 0));
  bell.ring();
  CHECK_FALSE(bell.is_armed());
  CHECK(is_readable(bell.fd(), 0));
  bell.arm();
  CHECK_FALSE(is_readable(bell.fd(), 0));
}

TEST_CASE("runtime/doorbell: workers ring for what is left in their rings") {
  RingBed bed(2);
  REQUIRE(bed.load(kOpen).has_value());
  Dataplane& dataplane = bed.dataplane();
  dataplane.log_bell().arm();
  dataplane.event_bell().arm();
  CHECK_FALSE(is_readable(dataplane.log_bell().fd(), 20));
  const Frame frame = udp("192.168.1.9:5000", "198.51.100.7:53")
                          .to_mac(bed.gateway_mac("lan"))
                          .from_mac(bed.neighbor_mac("lan"))
                          .build();
  bed.wire("lan").put(0, frame.bytes());
  CHECK(is_readable(dataplane.log_bell().fd(), 5000));
  CHECK(is_readable(dataplane.event_bell().fd(), 5000));  // the next hop is to be resolved
}

TEST_CASE("runtime/dump: every session and mapping is told once") {
  RingBed bed(GENERATE(1u, 2u));
  REQUIRE(bed.load(kOpen).has_value());
  constexpr unsigned kFlows = 1000;
  send_flows(bed, 600);
  send_flows(bed, kFlows);  // the first 600 are known already
  std::set<uint32_t> sources, externals;
  size_t sessions = 0, mappings = 0;
  for (unsigned id = 0; id < bed.dataplane().workers(); ++id) {
    Dump& dump = bed.dataplane().dump(static_cast<WorkerId>(id));
    for (const WholeSession& whole : dump_all(dump, Dump::What::sessions, &Dump::Block::sessions)) {
      ++sessions;
      sources.insert(whole.session.key[0].source.value());
    }
    for (const Mapping& mapping : dump_all(dump, Dump::What::mappings, &Dump::Block::mappings)) {
      ++mappings;
      externals.insert(mapping.external.port);
    }
  }
  CHECK(sessions == kFlows);
  CHECK(sources.size() == kFlows);
  CHECK(mappings == kFlows);
  CHECK(externals.size() == kFlows);
}

}  // namespace postern::test
