// SPDX-License-Identifier: BSD-3-Clause
// Latency: how long answers of servers took, counted in classes. Thread: control.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace postern::dns {

class Latency {
 public:
  // Upper bounds of the classes; slower ones are counted behind the last.
  static constexpr std::array<Duration, 10> kBounds = {
      milliseconds(1),   milliseconds(2),   milliseconds(5),   milliseconds(10),
      milliseconds(25),  milliseconds(50),  milliseconds(100), milliseconds(250),
      milliseconds(500), milliseconds(1000)};

  void note(Duration took) {
    size_t place = 0;
    while (place < kBounds.size() && took > kBounds[place])
      ++place;
    ++counts_[place];
    sum_ns_ += static_cast<uint64_t>(took.ns > 0 ? took.ns : 0);
  }

  // Answers of each class by itself; the last one has no bound.
  const std::array<uint64_t, kBounds.size() + 1>& counts() const { return counts_; }
  uint64_t sum_ns() const { return sum_ns_; }

 private:
  std::array<uint64_t, kBounds.size() + 1> counts_ = {};
  uint64_t sum_ns_ = 0;
};

}  // namespace postern::dns
