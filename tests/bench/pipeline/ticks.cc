// SPDX-License-Identifier: BSD-3-Clause
#include "bench/pipeline/ticks.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace postern::bench {

double ticks_per_second() {
  using Clock = std::chrono::steady_clock;
  static const double rate = [] {
    const auto from = Clock::now();
    const uint64_t first = ticks_before();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const uint64_t last = ticks_after();
    return static_cast<double>(last - first) /
           std::chrono::duration<double>(Clock::now() - from).count();
  }();
  return rate;
}

uint64_t ticks_of_nothing() {
  uint64_t least = UINT64_MAX;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t from = ticks_before();
    least = std::min(least, ticks_after() - from);
  }
  return least;
}

}  // namespace postern::bench
