// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/capture/tap.h"

#include <algorithm>

namespace postern {

namespace {

constexpr unsigned kNumberBits = 10;
static_assert(Tap::kFollowedMax < 1u << kNumberBits);
static_assert(kWorkersMax << kNumberBits <= 1u << 16);

Tap::Sight sight_of(const Packet& packet, TracePoint point) {
  Tap::Sight sight;
  sight.point = point;
  sight.interface = packet.from_host ? kGateway : packet.ingress;
  sight.frame = packet.frame;
  sight.here = sight.length = packet.length;
  sight.packet = packet.trace;
  return sight;
}

}  // namespace

void Tap::take_up(const CaptureSet* published) {
  seen_ = published;
  on_ = published->count != 0 ? published : nullptr;
  is_following_ = false;
  for (size_t i = 0; i < published->count; ++i)
    is_following_ = is_following_ || published->captures[i]->follows;
  slot_.finished(worker_, published->generation);
}

// One that follows asks what a packet is once, where it is received.
bool Tap::is_wanted(const Capture& capture, const Sight& sight, const FrameFacts& facts) {
  if (capture.follows) return sight.packet != 0;
  return capture.what.concerns(sight.interface, sight.point) &&
         capture.what.matches(facts, sight.reason);
}

void Tap::see(const Sight& sight) {
  const FrameFacts facts = read_facts({sight.frame, sight.here});
  for (size_t i = 0; i < on_->count; ++i) {
    const Capture& capture = *on_->captures[i];
    if (is_wanted(capture, sight, facts)) record(capture, sight);
  }
}

void Tap::record(const Capture& capture, const Sight& sight) {
  CaptureRecord record;
  record.at = now_;
  record.generation = generation_;
  record.rule = sight.rule;
  record.length = sight.length;
  record.captured = std::min(sight.here, capture.snap_length);
  record.point = sight.point;
  record.reason = sight.reason;
  record.interface = sight.interface;
  record.worker = worker_;
  record.packet = capture.follows ? sight.packet : uint16_t{0};
  record.detail = sight.detail;
  capture.rings[worker_]->push(record, sight.frame);
}

void Tap::dropped(const Packet& packet, DropReason reason, uint16_t rule) {
  Sight sight = sight_of(packet, TracePoint::dropped);
  sight.reason = reason;
  sight.rule = rule;
  see(sight);
}

uint16_t Tap::next_number() {
  if (now_ - window_ > kFollowedWithin) {
    window_ = now_;
    followed_ = 0;
  }
  if (followed_ == kFollowedMax) return 0;
  ++followed_;
  last_number_ =
      last_number_ == kFollowedMax ? uint16_t{1} : static_cast<uint16_t>(last_number_ + 1);
  return static_cast<uint16_t>(unsigned{worker_} << kNumberBits | last_number_);
}

void Tap::follow(Packet& packet) {
  Sight sight = sight_of(packet, TracePoint::received);
  const FrameFacts facts = read_facts(packet.bytes());
  for (size_t i = 0; i < on_->count; ++i) {
    const Capture& capture = *on_->captures[i];
    if (!capture.follows || !capture.what.concerns(sight.interface, sight.point)) continue;
    if (!capture.what.matches(facts, DropReason::none)) continue;
    if (packet.trace == 0) packet.trace = sight.packet = next_number();
    if (packet.trace != 0) {
      record(capture, sight);
    } else {
      capture.rings[worker_]->leave_out(sight.interface);
    }
  }
}

void Tap::in_session(const Packet& packet, uint16_t rule, SessionUse use) {
  Sight sight = sight_of(packet, TracePoint::session);
  sight.rule = rule;
  sight.detail = static_cast<uint8_t>(use);
  for (size_t i = 0; i < on_->count; ++i) {
    if (on_->captures[i]->follows) record(*on_->captures[i], sight);
  }
}

void Tap::handed_over(const Packet& packet, WorkerId to) {
  Sight sight = sight_of(packet, TracePoint::handed_over);
  sight.detail = to;
  for (size_t i = 0; i < on_->count; ++i) {
    if (on_->captures[i]->follows) record(*on_->captures[i], sight);
  }
}

}  // namespace postern
