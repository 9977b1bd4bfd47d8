// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/clock.h"

#include <x86intrin.h>

#include <ctime>
#include <fstream>
#include <string>

namespace postern {
namespace {

__extension__ using Wide = unsigned __int128;

uint64_t monotonic_ns() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

bool has_even_tsc() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!line.starts_with("flags")) continue;
    line += ' ';
    return line.find(" constant_tsc ") != std::string::npos &&
           line.find(" nonstop_tsc ") != std::string::npos;
  }
  return false;
}

SystemClock::SystemClock(uint64_t hz) {
  if (hz != 0) {
    multiplier_ = static_cast<uint64_t>((Wide{1'000'000'000u} << 32) / hz);
  }
  start_ = multiplier_ != 0 ? __rdtsc() : monotonic_ns();
}

Instant SystemClock::now() const {
  if (multiplier_ == 0) return Instant{static_cast<int64_t>(monotonic_ns() - start_)};
  const Wide ticks = __rdtsc() - start_;
  return Instant{static_cast<int64_t>(static_cast<uint64_t>(ticks * multiplier_ >> 32))};
}

}  // namespace postern
