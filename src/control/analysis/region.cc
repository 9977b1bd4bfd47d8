// SPDX-License-Identifier: BSD-3-Clause
#include "control/analysis/region.h"

#include <algorithm>

namespace postern::analysis {

bool Region::is_empty() const {
  return std::any_of(choices.begin(), choices.end(), [](uint64_t bits) { return bits == 0; }) ||
         std::any_of(numbers.begin(), numbers.end(),
                     [](const RangeSet& set) { return set.is_empty(); });
}

size_t Region::cost() const {
  size_t cost = 0;
  for (const RangeSet& set : numbers)
    cost += set.size();
  return cost;
}

bool meet(const Region& a, const Region& b) {
  for (size_t i = 0; i < kChoices; ++i) {
    if ((a.choices[i] & b.choices[i]) == 0) return false;
  }
  for (size_t i = 0; i < kNumbers; ++i) {
    if (!a.numbers[i].meets(b.numbers[i])) return false;
  }
  return true;
}

bool contains(const Region& outer, const Region& inner) {
  for (size_t i = 0; i < kChoices; ++i) {
    if ((inner.choices[i] & ~outer.choices[i]) != 0) return false;
  }
  for (size_t i = 0; i < kNumbers; ++i) {
    if (!outer.numbers[i].contains(inner.numbers[i])) return false;
  }
  return true;
}

// Field by field: what is outside in this one, then on with what is inside.
std::vector<Region> without(Region whole, const Region& taken) {
  std::vector<Region> pieces;
  for (size_t i = 0; i < kChoices; ++i) {
    const uint64_t left = whole.choices[i] & ~taken.choices[i];
    if (left == 0) continue;
    pieces.push_back(whole);
    pieces.back().choices[i] = left;
    whole.choices[i] &= taken.choices[i];
  }
  for (size_t i = 0; i < kNumbers; ++i) {
    if (taken.numbers[i].contains(whole.numbers[i])) continue;
    pieces.push_back(whole);
    pieces.back().numbers[i] = whole.numbers[i].without(taken.numbers[i]);
    whole.numbers[i] = whole.numbers[i].common(taken.numbers[i]);
  }
  return pieces;
}

}  // namespace postern::analysis
