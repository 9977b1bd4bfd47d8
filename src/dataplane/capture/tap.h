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
// Thread: the worker.
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

  // One frame, of which the first `here` bytes lie at `frame`. Only when on.
  struct Sight {
    TracePoint point = TracePoint::received;
    DropReason reason = DropReason::none;
    InterfaceId interface = kNoInterface;
    uint16_t rule = kNoRule;
    const uint8_t* frame = nullptr;
    uint16_t here = 0, length = 0;
  };
  void see(const Sight& sight);
  void dropped(const Packet& packet, DropReason reason, uint16_t rule);

 private:
  void take_up(const CaptureSet* published);

  CaptureSlot& slot_;
  WorkerId worker_;
  const CaptureSet* on_ = nullptr;  // nullptr: off
  const CaptureSet* seen_ = nullptr;
  Instant now_;
  uint32_t generation_ = 0;
};

}  // namespace postern
