// SPDX-License-Identifier: BSD-3-Clause
#include "control/analysis/ranges.h"

#include <algorithm>
#include <utility>

namespace postern::analysis {

RangeSet::RangeSet(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Range> joined;
  for (const Range& range : ranges) {
    // In 64 bits, for the range that ends with the last number.
    if (!joined.empty() && range.first <= uint64_t{joined.back().last} + 1) {
      joined.back().last = std::max(joined.back().last, range.last);
    } else {
      joined.push_back(range);
    }
  }
  if (joined.size() == 1 && joined.front() == kAll) return;
  ranges_ = std::make_shared<const std::vector<Range>>(std::move(joined));
}

bool RangeSet::meets(const RangeSet& other) const {
  for (size_t i = 0, k = 0; i < size() && k < other.size();) {
    const Range a = at(i), b = other.at(k);
    if (a.first <= b.last && b.first <= a.last) return true;
    a.last < b.last ? ++i : ++k;
  }
  return false;
}

bool RangeSet::contains(const RangeSet& other) const {
  if (is_all() || ranges_ == other.ranges_) return true;
  size_t i = 0;
  for (size_t k = 0; k < other.size(); ++k) {
    const Range wanted = other.at(k);
    while (i < size() && at(i).last < wanted.first)
      ++i;
    if (i == size() || wanted.first < at(i).first || at(i).last < wanted.last) return false;
  }
  return true;
}

RangeSet RangeSet::common(const RangeSet& other) const {
  if (other.is_all() || ranges_ == other.ranges_) return *this;
  if (is_all()) return other;
  std::vector<Range> out;
  for (size_t i = 0, k = 0; i < size() && k < other.size();) {
    const Range a = at(i), b = other.at(k);
    if (a.first <= b.last && b.first <= a.last) {
      out.push_back({std::max(a.first, b.first), std::min(a.last, b.last)});
    }
    a.last < b.last ? ++i : ++k;
  }
  return RangeSet(std::move(out));
}

RangeSet RangeSet::without(const RangeSet& other) const {
  std::vector<Range> out;
  size_t k = 0;
  for (size_t i = 0; i < size(); ++i) {
    const Range range = at(i);
    uint64_t next = range.first;
    while (k < other.size() && other.at(k).last < range.first)
      ++k;
    for (size_t taken = k; taken < other.size() && other.at(taken).first <= range.last; ++taken) {
      const Range gone = other.at(taken);
      if (next < gone.first) out.push_back({static_cast<uint32_t>(next), gone.first - 1});
      next = uint64_t{gone.last} + 1;
    }
    if (next <= range.last) out.push_back({static_cast<uint32_t>(next), range.last});
  }
  return RangeSet(std::move(out));
}

}  // namespace postern::analysis
