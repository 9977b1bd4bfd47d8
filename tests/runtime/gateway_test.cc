// SPDX-License-Identifier: BSD-3-Clause
// The real program on ring devices: workers, hand-off, what becomes of buffers.
#include <rte_ring.h>

#include <catch2/catch.hpp>
#include <set>

#include "dataplane/runtime/buffers.h"
#include "runtime/ring_bed.h"
#include "support/packet_builder.h"
#include "support/packet_match.h"

namespace postern::test {
namespace {

constexpr char kOffice[] = R"(
version: 1
interfaces:
  lan: { port: "vdev:net_null0", zone: internal, address: 192.168.1.1/24 }
  wan: { port: "vdev:net_null1", zone: external, address: 203.0.113.2/24 }
routes:
  - { to: default, via: 203.0.113.1 }
nat:
  source: [ { out: wan, action: masquerade } ]
  port_maps:
    - { name: web, on: wan, service: tcp/80, to: 192.168.1.20, allow_from: any }
filter:
  rules:
    - { name: out, in: lan, out: wan, action: permit }
    - { name: ping, in: lan, out: gateway, service: icmp, action: permit }
)";

// A frame as a host behind `interface` sends it to the gateway.
Frame to_gateway(RingBed& bed, const std::string& interface, PacketBuilder packet) {
  return packet.to_mac(bed.gateway_mac(interface)).from_mac(bed.neighbor_mac(interface)).build();
}

std::vector<Effect> send(RingBed& bed, const std::string& interface, PacketBuilder packet) {
  return bed.inject(interface, to_gateway(bed, interface, std::move(packet)).bytes());
}

PacketText only_out(const std::vector<Effect>& effects, const std::string& interface) {
  REQUIRE(effects.size() == 1);
  INFO((effects[0].kind == Effect::Kind::drop ? to_word(effects[0].reason) : "not dropped"));
  REQUIRE(effects[0].kind == Effect::Kind::out);
  CHECK(effects[0].interface == interface);
  CHECK(broken_checksum(effects[0].frame).empty());
  return describe(effects[0].frame);
}

void begin(RingBed& bed, const std::string& yaml = kOffice) {
  auto loaded = bed.load(yaml);
  INFO((loaded ? "" : loaded.error().text));
  REQUIRE(loaded.has_value());
}

}  // namespace

TEST_CASE("runtime: packets come out translated and their answers find back", "[P02]") {
  RingBed bed(GENERATE(1u, 2u, 4u));
  begin(bed);
  for (int host = 10; host < 26; ++host) {
    const std::string inside = "192.168.1." + std::to_string(host);
    auto out = only_out(send(bed, "lan", udp(inside + ":5000", "198.51.100.7:53")), "wan");
    CHECK(out.source == "203.0.113.2");
    const std::string mapped = out.source + ":" + out.source_port;
    auto back = only_out(send(bed, "wan", udp("198.51.100.7:53", mapped)), "lan");
    CHECK(back.destination == inside);
    CHECK(back.destination_port == "5000");
  }
  CHECK(bed.counter("sessions") == 16);
}

TEST_CASE("runtime: a mapping is the same whichever worker receives the packet", "[RFC4787-REQ1]") {
  const unsigned workers = GENERATE(2u, 4u);
  RingBed bed(workers);
  begin(bed);
  std::set<std::string> mapped;
  for (unsigned receiver = 0; receiver < workers; ++receiver) {
    bed.receive_at(receiver);
    const std::string remote = "198.51.100." + std::to_string(7 + receiver) + ":53";
    mapped.insert(only_out(send(bed, "lan", udp("192.168.1.10:5000", remote)), "wan").source_port);
  }
  CHECK(mapped.size() == 1);
  CHECK(bed.counter("mappings") == 1);
  CHECK(bed.counter("handed_off") == workers - 1);
}

// Else a worker that others flood could take the buffers that the ports need.
TEST_CASE("runtime: what may wait for its owner is counted among the buffers", "[P05]") {
  const unsigned workers = GENERATE(1u, 2u, 4u, 6u);
  RingBed bed(workers);
  begin(bed);
  const unsigned counted = worker_buffers(workers) - worker_buffers(1);
  for (unsigned worker = 0; worker < workers; ++worker) {
    const std::string name = "postern_hand_off_" + std::to_string(worker);
    const rte_ring* ring = rte_ring_lookup(name.c_str());
    REQUIRE((ring != nullptr) == (workers > 1));
    if (ring != nullptr) CHECK(rte_ring_get_capacity(ring) <= counted);
  }
  CHECK(bed.dataplane().buffers().total >= workers * worker_buffers(workers));
}

TEST_CASE("runtime: a port map is reached from outside and by hairpin", "[P01]") {
  RingBed bed(GENERATE(1u, 2u, 4u));
  begin(bed);
  auto in = only_out(send(bed, "wan", tcp("198.51.100.7:1234", "203.0.113.2:80").syn()), "lan");
  CHECK(in.destination == "192.168.1.20");
  auto round = only_out(send(bed, "lan", tcp("192.168.1.10:1234", "203.0.113.2:80").syn()), "lan");
  CHECK(round.destination == "192.168.1.20");
  CHECK(round.source == "203.0.113.2");
}

TEST_CASE("runtime: fragments follow their first one across workers", "[RFC4787-REQ14]") {
  RingBed bed(GENERATE(1u, 2u, 4u));
  begin(bed);
  auto later = udp("192.168.1.10:5000", "198.51.100.7:53").fragment(1480, false, 2008);
  CHECK(send(bed, "lan", later).empty());
  CHECK(bed.counter("fragments_held") == 1);
  auto effects =
      send(bed, "lan", udp("192.168.1.10:5000", "198.51.100.7:53").fragment(0, true, 2008));
  REQUIRE(effects.size() == 2);
  for (const Effect& effect : effects) {
    REQUIRE(effect.kind == Effect::Kind::out);
    CHECK(describe(effect.frame).source == "203.0.113.2");
  }
}

TEST_CASE("runtime: what is larger than the next link is cut", "[P04]") {
  RingBed bed(2);
  std::string yaml = kOffice;
  const std::string wan = "zone: external,";
  yaml.insert(yaml.find(wan) + wan.size(), " mtu: 600,");
  begin(bed, yaml);
  auto effects = send(bed, "lan", udp("192.168.1.10:5000", "198.51.100.7:53").payload(1200));
  REQUIRE(effects.size() == 3);
  for (const Effect& effect : effects) {
    CHECK(effect.frame.size() <= 614);
    CHECK(broken_checksum(effect.frame).empty());
  }
}

TEST_CASE("runtime: traffic of the gateway itself goes by the host path") {
  RingBed bed(GENERATE(1u, 2u));
  begin(bed);
  auto effects = send(bed, "lan", echo_request("192.168.1.10", "192.168.1.1", 7));
  REQUIRE(effects.size() == 1);
  CHECK(effects[0].kind == Effect::Kind::host);
  CHECK(effects[0].interface == "lan");
  Frame reply = echo_reply("192.168.1.1", "192.168.1.10", 7)
                    .from_mac(bed.gateway_mac("lan"))
                    .to_mac(bed.gateway_mac("lan"))
                    .build();
  auto answer = only_out(bed.inject_from_host("lan", reply.bytes()), "lan");
  CHECK(answer.destination == "192.168.1.10");
}

TEST_CASE("runtime: a frame in several pieces is put together or dropped") {
  RingBed bed(1);
  begin(bed);
  const Frame small = to_gateway(bed, "lan", udp("192.168.1.10:5000", "198.51.100.7:53"));
  bed.wire("lan").put_in_pieces(0, small.bytes(), 20);
  CHECK(only_out(bed.settle(), "wan").destination == "198.51.100.7");
  const Frame huge =
      to_gateway(bed, "lan", udp("192.168.1.10:5000", "198.51.100.7:53").payload(4000));
  bed.wire("lan").put_in_pieces(0, huge.bytes(), 1000);
  auto effects = bed.settle();
  REQUIRE(effects.size() == 1);
  CHECK(effects[0].reason == DropReason::frame_malformed);
}

TEST_CASE("runtime: a frame of another VLAN is not taken for one of ours") {
  RingBed bed(1);
  begin(bed);
  const Frame frame = to_gateway(bed, "lan", udp("192.168.1.10:5000", "198.51.100.7:53"));
  bed.wire("lan").put_untagged(0, frame.bytes(), 7);
  auto effects = bed.settle();
  REQUIRE(effects.size() == 1);
  CHECK(effects[0].reason == DropReason::ethertype_unsupported);
}

TEST_CASE("runtime: frames of control leave as they are") {
  RingBed bed(GENERATE(1u, 2u));
  begin(bed);
  const Frame request = arp_request(Ipv4Address(192, 168, 1, 10), Ipv4Address(192, 168, 1, 1),
                                    bed.gateway_mac("lan"));
  CHECK(bed.dataplane().inject(bed.id_of("lan"), request.bytes()));
  auto effects = bed.settle();
  REQUIRE(effects.size() == 1);
  CHECK(effects[0].interface == "lan");
  CHECK(std::ranges::equal(effects[0].frame, request.bytes()));
  CHECK_FALSE(bed.dataplane().inject(9, request.bytes()));
}

TEST_CASE("runtime: a burst from every side loses nothing", "[P05]") {
  RingBed bed(GENERATE(1u, 4u));
  begin(bed);
  constexpr unsigned kFlows = 400;
  for (unsigned flow = 0; flow < kFlows; ++flow) {
    const std::string inside = "192.168.1." + std::to_string(10 + flow % 100);
    const Frame frame =
        to_gateway(bed, "lan", udp(inside + ":" + std::to_string(2000 + flow), "198.51.100.7:53"));
    bed.wire("lan").put(0, frame.bytes());
  }
  CHECK(bed.settle().size() == kFlows);
  CHECK(bed.counter("sessions") == kFlows);
}

TEST_CASE("runtime: one host takes at most half of its worker's table", "[P05]") {
  RingBed bed(2);
  begin(bed, std::string(kOffice) +
                 "system: { limits: { sessions: 2048, sessions_from_host: 1024 } }\n");
  constexpr unsigned kFlows = 600, kRound = 100;
  for (unsigned flow = 0; flow < kFlows; ++flow) {
    const std::string inside = "192.168.1.10:" + std::to_string(2000 + flow);
    bed.wire("lan").put(0, to_gateway(bed, "lan", udp(inside, "198.51.100.7:53")).bytes());
    if (flow % kRound == kRound - 1) CHECK(bed.settle().size() == kRound);
  }
  CHECK(bed.counter("sessions") == 512);
  CHECK(bed.counter("drop.host_limit") == kFlows - 512);
}

TEST_CASE("runtime: stopping gives every buffer back, held ones too") {
  const unsigned before = test_frames_in_use();
  RingBed bed(GENERATE(1u, 2u, 4u));
  begin(bed);
  bed.silence(Ipv4Address(203, 0, 113, 1));
  CHECK(send(bed, "lan", udp("192.168.1.10:5000", "198.51.100.7:53")).empty());
  send(bed, "lan", udp("192.168.1.11:5000", "198.51.100.7:53").fragment(1480, false, 2008));
  CHECK(bed.counter("neighbors_waiting") == 1);
  CHECK(bed.counter("fragments_held") == 1);
  CHECK(test_frames_in_use() == before + 2);
  bed.dataplane().stop();
  CHECK(test_frames_in_use() == before);
  CHECK(bed.dataplane().buffers().free == bed.dataplane().buffers().total);
}

}  // namespace postern::test
