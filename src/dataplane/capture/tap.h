// SPDX-License-Identifier: BSD-3-Clause
// Tap: the trace hooks of one worker. Off, which is nearly always, a hook is one test of a pointer
// for each burst; on, frames are held against each capture's class and those that match are copied
// into its ring.
//
// Where the hooks are:
//   received  Worker::receive, before anything is looked at or changed
//   sent      Sender::transmit, as the frame leaves, pieces and control's own frames included
//   dropped   Worker::deliver, by the verdict; where a refused packet is turned into its answer;
//             where the sender finds no room
//
// A capture that follows takes packets by their class as they come in and gives them a number,
// which stays with the packet (Packet::trace) and, behind the outbox, with its buffer:
//
//   received -> handed over -> session found or opened -> sent, in pieces even; or dropped
//
// It takes at most kFollowedMax packets a worker within kFollowedWithin, so that no number comes
// back while somebody may still wait for its packet; others are left out and counted. Followed
// packets go the long way, past the fast path. Thread: the worker.
#pragma once

#include "dataplane/capture/capture_slot.h"

namespace postern {

class Tap {
 public:
  Tap(CaptureSlot& slot, WorkerId worker) : slot_(slot), worker_(worker) {}

  // At the begin of a turn: takes up what control published.
  void begin_turn(Instant now, uint32_t generation) {
    const CaptureSet* published = slot_.acquire();
    if (published != seen_) [[unlikely]]
      take_up(published);
    now_ = now;
    generation_ = generation;
  }
  // The worker ends: control waits for it no longer.
  void end() { slot_.finished(worker_, UINT32_MAX); }

  bool is_on() const { return on_ != nullptr; }
  bool is_following() const { return is_following_; }

  // One frame, of which the first `here` bytes lie at `frame`. Only when on.
  struct Sight {
    TracePoint point = TracePoint::received;
    DropReason reason = DropReason::none;
    InterfaceId interface = kNoInterface;
    uint16_t rule = kNoRule;
    const uint8_t* frame = nullptr;
    uint16_t here = 0, length = 0;
    uint16_t packet = 0;  // its number, when it is followed
    uint8_t detail = 0;   // as in CaptureRecord
  };
  void see(const Sight& sight);
  void dropped(const Packet& packet, DropReason reason, uint16_t rule);

  static constexpr uint16_t kFollowedMax = 1023;
  static constexpr Duration kFollowedWithin = seconds(3);
  // Of a packet that was received just now: follows it where that is wanted. Only when following.
  void follow(Packet& packet);
  // Of followed packets only.
  void in_session(const Packet& packet, uint16_t rule, SessionUse use);
  void handed_over(const Packet& packet, WorkerId to);

 private:
  void take_up(const CaptureSet* published);
  static bool is_wanted(const Capture& capture, const Sight& sight, const FrameFacts& facts);
  void record(const Capture& capture, const Sight& sight);
  // A number for one more packet; 0: there were enough lately.
  uint16_t next_number();

  CaptureSlot& slot_;
  WorkerId worker_;
  const CaptureSet* on_ = nullptr;  // nullptr: off
  const CaptureSet* seen_ = nullptr;
  Instant now_;
  uint32_t generation_ = 0;
  bool is_following_ = false;
  uint16_t last_number_ = 0, followed_ = 0;  // since window_
  Instant window_;
};

}  // namespace postern
