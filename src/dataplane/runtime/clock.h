// SPDX-License-Identifier: BSD-3-Clause
// SystemClock: time since the start of the program for a few nanoseconds a reading.
//
// It counts ticks of the processor's time stamp counter where that runs evenly (constant_tsc and
// nonstop_tsc), else it asks the kernel's monotonic clock. Thread: any, once made.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace postern {

class SystemClock {
 public:
  // `hz`: ticks a second of the time stamp counter, 0 when it is not to be used.
  explicit SystemClock(uint64_t hz);
  Instant now() const;
  bool uses_tsc() const { return multiplier_ != 0; }

 private:
  uint64_t start_;
  uint64_t multiplier_ = 0;  // nanoseconds a tick, times 2^32; 0: monotonic clock
};

// Whether the processor's time stamp counter runs at one rate and through sleep states.
bool has_even_tsc();

}  // namespace postern
