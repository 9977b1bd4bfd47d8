// SPDX-License-Identifier: BSD-3-Clause
// ScanLimits: until when one scanner may take its time for one message. Thread: any.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/time.h"

namespace postern::mail {

struct ScanLimits {
  using Clock = std::chrono::steady_clock;
  Clock::time_point deadline;
  int stop = -1;  // once this descriptor is readable, nobody waits for the answer; -1: never

  Duration left() const {
    const std::chrono::nanoseconds left = deadline - Clock::now();
    return nanoseconds(std::max<int64_t>(left.count(), 0));
  }
};

}  // namespace postern::mail
