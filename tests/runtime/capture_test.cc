// SPDX-License-Identifier: BSD-3-Clause
// The trace hooks on the real dataplane: what they see, where, and that traffic never waits.
#include <poll.h>

#include <catch2/catch.hpp>

#include "dataplane/capture/capture_slot.h"
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
routes: [ { to: default, via: 203.0.113.1 } ]
nat: { source: [ { out: wan, action: masquerade } ] }
filter:
  rules:
    - { name: no-telnet, in: lan, service: tcp/23, action: drop }
    - { name: no-mail, in: lan, service: tcp/25, action: deny }
    - { name: out, in: lan, out: wan, action: permit }
)";

struct Seen {
  CaptureRecord record;
  std::vector<uint8_t> bytes;
};

// A capture of everything on a dataplane, as control keeps it.
struct Running {
  Running(RingBed& on, size_t ring_bytes, bool follows = false)
      : bed(on), workers(on.dataplane().workers()) {
    capture.follows = follows;
    for (unsigned i = 0; i < workers; ++i)
      capture.rings.push_back(std::make_unique<CaptureRing>(ring_bytes));
    bed.dataplane().publish_captures(&with);
    wait_for(with);
  }
  ~Running() {
    bed.dataplane().publish_captures(&without);
    wait_for(without);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void wait_for(const CaptureSet& set) const {
    for (int i = 0; !bed.dataplane().have_taken(set.generation); ++i) {
      REQUIRE(i < 20'000);
      poll(nullptr, 0, 1);
    }
  }
  std::vector<Seen> take(TracePoint point) {
    std::array<uint8_t, kSnapLengthMax> bytes;
    CaptureRecord record;
    for (auto& ring : capture.rings) {
      while (ring->pop(record, bytes))
        all.push_back({record, {bytes.begin(), bytes.begin() + record.captured}});
    }
    std::vector<Seen> there;
    for (const Seen& seen : all) {
      if (seen.record.point == point) there.push_back(seen);
    }
    return there;
  }

  RingBed& bed;
  unsigned workers;
  Capture capture;
  CaptureSet with{1, 1, {&capture}}, without{2, 0, {}};
  std::vector<Seen> all;
};

Frame from_lan(RingBed& bed, PacketBuilder packet) {
  return packet.to_mac(bed.gateway_mac("lan")).from_mac(bed.neighbor_mac("lan")).build();
}

std::vector<Effect> send(RingBed& bed, PacketBuilder packet) {
  return bed.inject("lan", from_lan(bed, std::move(packet)).bytes());
}

}  // namespace

TEST_CASE("runtime/capture: a packet before and after its translation", "[P13]") {
  RingBed bed(GENERATE(1u, 2u));
  REQUIRE(bed.load(kOffice).has_value());
  Running running(bed, 1 << 16);
  REQUIRE(send(bed, udp("192.168.1.10:5000", "198.51.100.7:53")).size() == 1);
  auto received = running.take(TracePoint::received);
  auto sent = running.take(TracePoint::sent);
  REQUIRE(received.size() == 1);
  REQUIRE(sent.size() == 1);
  CHECK(received[0].record.interface == bed.id_of("lan"));
  CHECK(describe(received[0].bytes).source == "192.168.1.10");
  CHECK(sent[0].record.interface == bed.id_of("wan"));
  CHECK(describe(sent[0].bytes).source == "203.0.113.2");
  CHECK(running.take(TracePoint::dropped).empty());
}

TEST_CASE("runtime/capture: a dropped packet has its reason and rule, an answered one too",
          "[P13][F23]") {
  RingBed bed(1);
  REQUIRE(bed.load(kOffice).has_value());
  Running running(bed, 1 << 16);
  send(bed, tcp("192.168.1.10:5000", "198.51.100.7:23").syn());
  send(bed, tcp("192.168.1.10:5001", "198.51.100.7:25").syn());
  auto dropped = running.take(TracePoint::dropped);
  REQUIRE(dropped.size() == 2);
  CHECK(dropped[0].record.reason == DropReason::filter_drop);
  CHECK(dropped[0].record.rule == 0);
  CHECK(dropped[0].record.generation == 1);
  CHECK(dropped[1].record.reason == DropReason::filter_deny);
  CHECK(dropped[1].record.rule == 1);
  CHECK(describe(dropped[1].bytes).destination_port == "25");  // not yet its own answer
  CHECK(running.take(TracePoint::received).size() == 2);
  auto answers = running.take(TracePoint::sent);
  REQUIRE(answers.size() == 1);
  CHECK(describe(answers[0].bytes).source_port == "25");
}

TEST_CASE("runtime/capture: a packet is followed from where it comes in to where it leaves",
          "[P13][C07]") {
  const unsigned workers = GENERATE(1u, 2u);
  RingBed bed(workers);
  REQUIRE(bed.load(kOffice).has_value());
  REQUIRE(send(bed, udp("192.168.1.10:1999", "198.51.100.7:53")).size() == 1);
  Running running(bed, 1 << 16, true);
  size_t handed_over = 0;
  for (int port = 5000; port < 5008; ++port) {
    const std::string inside = "192.168.1.10:" + std::to_string(port);
    for (auto use : {SessionUse::opened, SessionUse::original}) {
      running.all.clear();
      REQUIRE(send(bed, udp(inside, "198.51.100.7:53")).size() == 1);
      auto received = running.take(TracePoint::received);
      auto sent = running.take(TracePoint::sent);
      auto session = running.take(TracePoint::session);
      REQUIRE(received.size() == 1);
      REQUIRE(session.size() == 1);
      REQUIRE(sent.size() == 1);
      CHECK(session[0].record.rule == 2);
      CHECK(session[0].record.generation == 1);
      CHECK(session[0].record.detail == static_cast<uint8_t>(use));
      CHECK(received[0].record.packet != 0);
      CHECK(session[0].record.packet == received[0].record.packet);
      CHECK(sent[0].record.packet == received[0].record.packet);
      CHECK(describe(sent[0].bytes).source == "203.0.113.2");
      handed_over += running.take(TracePoint::handed_over).size();
    }
  }
  if (workers == 1) CHECK(handed_over == 0);
  running.all.clear();
  send(bed, tcp("192.168.1.10:5001", "198.51.100.7:25").syn());
  auto dropped = running.take(TracePoint::dropped);
  auto answer = running.take(TracePoint::sent);
  REQUIRE(dropped.size() == 1);
  REQUIRE(answer.size() == 1);
  CHECK(dropped[0].record.rule == 1);
  CHECK(answer[0].record.packet == dropped[0].record.packet);
}

TEST_CASE("runtime/capture: a full ring loses frames of the capture and none of the traffic",
          "[P13]") {
  RingBed bed(1);
  REQUIRE(bed.load(kOffice).has_value());
  REQUIRE(send(bed, udp("192.168.1.10:1999", "198.51.100.7:53")).size() == 1);  // finds the router
  Running running(bed, 1024);
  constexpr unsigned kFlows = 200;
  for (unsigned flow = 0; flow < kFlows; ++flow) {
    const std::string inside = "192.168.1.10:" + std::to_string(2000 + flow);
    bed.wire("lan").put(0, from_lan(bed, udp(inside, "198.51.100.7:53")).bytes());
  }
  CHECK(bed.settle().size() == kFlows);
  const CaptureRing& ring = *running.capture.rings[0];
  CHECK(ring.matched()[bed.id_of("lan")].read() == kFlows);
  CHECK(ring.matched()[bed.id_of("wan")].read() == kFlows);
  CHECK(ring.lost()[bed.id_of("wan")].read() > 0);
}

}  // namespace postern::test
