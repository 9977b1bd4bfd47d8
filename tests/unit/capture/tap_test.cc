// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/capture/tap.h"

#include <catch2/catch.hpp>

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

}  // namespace postern::test
