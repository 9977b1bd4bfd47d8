// SPDX-License-Identifier: BSD-3-Clause
// CaptureSlot: how captures come to the workers and go again, as policies do (policy_slot.h).
//
//   control: publish(set) ----> worker, at the begin of a turn: takes it up, tells its generation
//   control: is_past(generation): no worker looks at older sets, nor at captures only they had
//
// A set without captures is what "off" looks like; nothing is published before the first capture.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/limits.h"
#include "dataplane/capture/capture_ring.h"

namespace postern {

constexpr size_t kCapturesMax = 4;                     // at once: every frame is held against each
constexpr uint16_t kSnapLengthMax = kMtuMax + 14;      // a whole frame
constexpr size_t kCaptureRingBytes = size_t{1} << 22;  // per worker: 14,000 frames of 256 bytes

// One capture: what is wanted, and where it goes. Immutable but for the rings.
struct Capture {
  TrafficClass what;
  uint16_t snap_length = 256;                       // bytes kept of a frame
  std::vector<std::unique_ptr<CaptureRing>> rings;  // by worker
};

struct CaptureSet {
  uint32_t generation = 0;  // from 1
  uint8_t count = 0;
  std::array<const Capture*, kCapturesMax> captures = {};
};

class CaptureSlot {
 public:
  explicit CaptureSlot(unsigned workers) : workers_(workers) {}

  // Thread: control. The slot does not own the set.
  void publish(const CaptureSet* set) { current_.store(set, std::memory_order_release); }
  // Thread: control.
  bool is_past(uint32_t generation) const {
    for (unsigned i = 0; i < workers_; ++i) {
      if (taken_[i].generation.load(std::memory_order_acquire) < generation) return false;
    }
    return true;
  }

  // Thread: worker. nullptr: nothing was ever published.
  const CaptureSet* acquire() const { return current_.load(std::memory_order_acquire); }
  // Thread: worker `id`; it has let go every set older than `generation`.
  void taken(WorkerId id, uint32_t generation) {
    taken_[id].generation.store(generation, std::memory_order_release);
  }

 private:
  struct alignas(kOwnLines) Taken {
    std::atomic<uint32_t> generation{0};
  };  // worker: write, control: read
  unsigned workers_;
  alignas(kOwnLines) std::atomic<const CaptureSet*> current_{nullptr};  // control: write
  std::array<Taken, kWorkersMax> taken_;
};

}  // namespace postern
