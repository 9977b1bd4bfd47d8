// SPDX-License-Identifier: BSD-3-Clause
// Nap: how long a worker whose turns are empty sleeps. None for the first kTurnsAwake empty turns,
// then doubling up to kNapMax; the first frame ends it. Few turns awake on purpose: where workers
// share cores with others, a thread that spins uses up its time slice on nothing and has to wait
// when frames come (a hundred times less throughput was measured on a busy machine). At 200 us, and
// as long again for the processor to wake, a receive ring of 1024 frames overflows only beyond two
// and a half million frames a second, and at such a rate no turn is empty (P10). Thread: the
// worker.
#pragma once

#include <algorithm>
#include <ctime>

#include "base/time.h"

namespace postern {

class Nap {
 public:
  static constexpr unsigned kTurnsAwake = 16;
  static constexpr Duration kNapMin = microseconds(5);
  static constexpr Duration kNapMax = microseconds(200);

  void reset() {
    empty_turns_ = 0;
    length_ = kNapMin;
  }

  // After an empty turn. Zero: do not sleep.
  Duration next() {
    if (empty_turns_ < kTurnsAwake) {
      ++empty_turns_;
      return {};
    }
    const Duration now = length_;
    length_ = std::min(length_ * 2, kNapMax);
    return now;
  }

  // May return early (signals); that does no harm.
  static void sleep(Duration length) {
    const timespec time = {0, static_cast<long>(length.ns)};
    nanosleep(&time, nullptr);
  }

 private:
  unsigned empty_turns_ = 0;
  Duration length_ = kNapMin;
};

}  // namespace postern
