// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/capture/tap.h"

#include <catch2/catch.hpp>
#include <deque>
#include <set>

#include "support/packet_builder.h"

namespace postern::test {

TEST_CASE("capture/tap: off until a set with captures is published, and after one without",
          "[P13]") {
  CaptureSlot slot(1);
  Tap tap(slot, 0);
  tap.begin_turn(Instant{1}, 1);
  CHECK_FALSE(tap.is_on());

  Capture capture;
  capture.snap_length = 20;
  capture.rings.push_back(std::make_unique<CaptureRing>(4096));
  const CaptureSet on{1, 1, {&capture}}, off{2, 0, {}};
  slot.publish(&on);
  CHECK_FALSE(slot.is_past(1));
  tap.begin_turn(Instant{7}, 3);
  CHECK(slot.is_past(1));
  REQUIRE(tap.is_on());

  Frame frame = udp("192.168.1.10:5000", "198.51.100.7:53").build();
  Packet packet;
  packet.frame = frame.bytes().data();
  packet.length = static_cast<uint16_t>(frame.bytes().size());
  packet.ingress = 2;
  tap.dropped(packet, DropReason::filter_drop, 5);
  CaptureRecord record;
  std::array<uint8_t, 256> bytes;
  REQUIRE(capture.rings[0]->pop(record, bytes));
  CHECK(record.at == Instant{7});
  CHECK(record.generation == 3);
  CHECK(record.rule == 5);
  CHECK(record.reason == DropReason::filter_drop);
  CHECK(record.point == TracePoint::dropped);
  CHECK(record.interface == 2);
  CHECK(record.length == packet.length);
  CHECK(record.captured == 20);

  slot.publish(&off);
  tap.begin_turn(Instant{8}, 3);
  CHECK_FALSE(tap.is_on());
  CHECK(slot.is_past(2));
  CHECK_FALSE(slot.is_past(3));
  tap.end();
  CHECK(slot.is_past(3));
}

namespace {

// A tap with one capture that follows UDP to port 53.
struct Following {
  Following() {
    capture.follows = true;
    capture.what.clause_count = 1;
    capture.what.clauses[0].kind = Clause::Kind::port;
    capture.what.clauses[0].begins_alternative = true;
    capture.what.clauses[0].first = capture.what.clauses[0].last = 53;
    capture.rings.push_back(std::make_unique<CaptureRing>(size_t{1} << 20));
    slot.publish(&on);
    tap.begin_turn(Instant{7}, 3);
  }
  Packet packet_to(const char* destination) {
    frames.push_back(udp("192.168.1.10:5000", destination).build());
    Packet packet;
    packet.frame = frames.back().bytes().data();
    packet.length = static_cast<uint16_t>(frames.back().bytes().size());
    packet.ingress = 2;
    return packet;
  }
  CaptureRecord pop() {
    CaptureRecord record;
    std::array<uint8_t, 256> bytes;
    REQUIRE(capture.rings[0]->pop(record, bytes));
    return record;
  }

  CaptureSlot slot{1};
  Tap tap{slot, 0};
  Capture capture;
  CaptureSet on{1, 1, {&capture}};
  std::deque<Frame> frames;
};

}  // namespace

TEST_CASE("capture/tap: a packet that is followed has a number at each of its stages",
          "[P13][C07]") {
  Following bed;
  REQUIRE(bed.tap.is_following());
  Packet wanted = bed.packet_to("198.51.100.7:53"), other = bed.packet_to("198.51.100.7:54");
  bed.tap.follow(wanted);
  bed.tap.follow(other);
  CHECK(wanted.trace != 0);
  CHECK(other.trace == 0);
  bed.tap.in_session(wanted, 4, SessionUse::opened);
  bed.tap.dropped(wanted, DropReason::ttl_expired, kNoRule);
  bed.tap.dropped(other, DropReason::ttl_expired, kNoRule);

  CHECK(bed.pop().point == TracePoint::received);
  const CaptureRecord session = bed.pop();
  CHECK(session.point == TracePoint::session);
  CHECK(session.rule == 4);
  CHECK(session.generation == 3);
  CHECK(session.detail == static_cast<uint8_t>(SessionUse::opened));
  const CaptureRecord dropped = bed.pop();
  CHECK(dropped.point == TracePoint::dropped);
  CHECK(dropped.packet == wanted.trace);
  CHECK(bed.capture.rings[0]->is_empty());
}

TEST_CASE("capture/tap: numbers of followed packets come back only after some time", "[P13]") {
  Following bed;
  std::set<uint16_t> numbers;
  for (unsigned i = 0; i < Tap::kFollowedMax; ++i) {
    Packet packet = bed.packet_to("198.51.100.7:53");
    bed.tap.follow(packet);
    numbers.insert(packet.trace);
  }
  CHECK(numbers.size() == Tap::kFollowedMax);
  CHECK(numbers.count(0) == 0);
  Packet packet = bed.packet_to("198.51.100.7:53");
  bed.tap.follow(packet);
  CHECK(packet.trace == 0);
  CHECK(bed.capture.rings[0]->lost()[2].read() == 1);
  bed.tap.begin_turn(Instant{8} + Tap::kFollowedWithin, 3);
  bed.tap.follow(packet);
  CHECK(packet.trace != 0);
}

}  // namespace postern::test
