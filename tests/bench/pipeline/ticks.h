// SPDX-License-Identifier: BSD-3-Clause
// Time by the processor's time stamp counter, which runs at a fixed rate whatever the clock does.
#pragma once

#include <x86intrin.h>

#include <cstdint>

namespace postern::bench {

// Nothing of what is measured moves before the first or behind the second.
inline uint64_t ticks_before() {
  _mm_lfence();
  const uint64_t now = __rdtsc();
  _mm_lfence();
  return now;
}
inline uint64_t ticks_after() {
  unsigned core = 0;
  const uint64_t now = __rdtscp(&core);
  _mm_lfence();
  return now;
}

double ticks_per_second();    // measured against the monotonic clock, once
uint64_t ticks_of_nothing();  // what the two functions take themselves: the least of many

}  // namespace postern::bench
