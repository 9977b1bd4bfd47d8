// SPDX-License-Identifier: BSD-3-Clause
// CaptureSlot: how captures come to the workers and go again, as policies do
// (table/publish_slot.h).
//
//   control: publish(set) ----> worker, at the begin of a turn: takes it up, tells its generation
//   control: is_past(generation): no worker looks at older sets, nor at captures only they had
//
// A set without captures is what "off" looks like; nothing is published before the first capture.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/limits.h"
#include "dataplane/capture/capture_ring.h"
#include "dataplane/table/publish_slot.h"

namespace postern {

constexpr size_t kCapturesMax = 4;                     // at once: every frame is held against each
constexpr uint16_t kSnapLengthMax = kMtuMax + 14;      // a whole frame
constexpr size_t kCaptureRingBytes = size_t{1} << 22;  // per worker: 14,000 frames of 256 bytes

// One capture: what is wanted, and where it goes. Immutable but for the rings.
struct Capture {
  TrafficClass what;
  bool follows = false;  // what is received only, and all that becomes of it (`postern trace`)
  uint16_t snap_length = 256;                       // bytes kept of a frame
  std::vector<std::unique_ptr<CaptureRing>> rings;  // by worker
};

struct CaptureSet {
  uint32_t generation = 0;  // from 1
  uint8_t count = 0;
  std::array<const Capture*, kCapturesMax> captures = {};
};

using CaptureSlot = PublishSlot<CaptureSet>;

}  // namespace postern
