// SPDX-License-Identifier: BSD-3-Clause
// HostPace: when a worker reads what the kernel sends through its host paths. Reading a TAP costs a
// system call (some 2,000 ticks) even when nothing is there: a worker with frames on its wires
// looks every kWaitMin, and less and less often while the kernel says nothing; one without, as soon
// as it has been quiet for a few turns. Thread: the worker.
#pragma once

#include <algorithm>

#include "base/time.h"

namespace postern {

class HostPace {
 public:
  static constexpr unsigned kQuietTurns = 8;
  static constexpr Duration kWaitMin = microseconds(50);
  static constexpr Duration kWaitMax = milliseconds(1);

  // Asked once a turn. `is_quiet`: nothing came from wires and other workers in this one.
  bool is_due(Instant now, bool is_quiet) {
    quiet_turns_ = is_quiet ? quiet_turns_ + 1 : 0;
    return quiet_turns_ >= kQuietTurns || now - read_ >= wait_;
  }
  // After a reading.
  void note(Instant now, bool has_brought) {
    wait_ = has_brought ? kWaitMin : std::min(wait_ * 2, kWaitMax);
    read_ = now;
  }

 private:
  unsigned quiet_turns_ = 0;
  Instant read_;
  Duration wait_ = kWaitMin;
};

}  // namespace postern
