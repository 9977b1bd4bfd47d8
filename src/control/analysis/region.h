// SPDX-License-Identifier: BSD-3-Clause
// Region: a set of first packets, as a product of what each of their fields may be. A rule is a
// list of regions, of which each matches. Pure values; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "control/analysis/ranges.h"

namespace postern::analysis {

// Fields of few values, as bits.
enum class Choice : uint8_t { in, out, tcp, mapped, posture };
constexpr size_t kChoices = 5;
// Fields of many. `port` is the destination port or the ICMP type, `second_port` the source port or
// the ICMP code, `minute` that of the local week.
enum class Number : uint8_t { protocol, port, to, from, original, second_port, minute };
constexpr size_t kNumbers = 7;

// Bits of Choice::tcp, mapped and posture.
constexpr uint64_t kOpening = 1, kEstablished = 2;
constexpr uint64_t kPlain = 1, kMapped = 2;
constexpr uint64_t kNormal = 1, kCutOff = 2;
constexpr uint64_t kBoth = 3;

struct Region {
  std::array<uint64_t, kChoices> choices = {0, 0, kBoth, kBoth, kBoth};
  std::array<RangeSet, kNumbers> numbers;

  uint64_t& operator[](Choice choice) { return choices[static_cast<size_t>(choice)]; }
  uint64_t operator[](Choice choice) const { return choices[static_cast<size_t>(choice)]; }
  RangeSet& operator[](Number number) { return numbers[static_cast<size_t>(number)]; }
  const RangeSet& operator[](Number number) const { return numbers[static_cast<size_t>(number)]; }

  bool is_empty() const;
  // What an operation with it costs, in ranges.
  size_t cost() const;
};

bool meet(const Region& a, const Region& b);
bool contains(const Region& outer, const Region& inner);
// What of `whole` is not in `taken`: disjoint regions. The two must meet.
std::vector<Region> without(Region whole, const Region& taken);

}  // namespace postern::analysis
