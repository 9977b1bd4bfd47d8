// SPDX-License-Identifier: BSD-3-Clause
// RangeSet: a set of numbers as sorted, disjoint ranges. Copies share their ranges. Pure values;
// one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace postern::analysis {

struct Range {
  uint32_t first = 0, last = 0;  // both included
  bool operator==(const Range&) const = default;
};

class RangeSet {
 public:
  RangeSet() = default;  // every number
  RangeSet(uint32_t first, uint32_t last) : RangeSet(std::vector<Range>{{first, last}}) {}
  // In any order, overlapping or not; none: no number.
  explicit RangeSet(std::vector<Range> ranges);

  bool is_all() const { return ranges_ == nullptr; }
  bool is_empty() const { return ranges_ != nullptr && ranges_->empty(); }
  // How many ranges it is made of: what an operation with it costs.
  size_t size() const { return ranges_ == nullptr ? 1 : ranges_->size(); }
  // The range at a position below size().
  Range at(size_t index) const { return ranges_ == nullptr ? kAll : (*ranges_)[index]; }

  bool meets(const RangeSet& other) const;
  bool contains(const RangeSet& other) const;
  RangeSet common(const RangeSet& other) const;
  RangeSet without(const RangeSet& other) const;

 private:
  static constexpr Range kAll{0, 0xFFFFFFFF};

  std::shared_ptr<const std::vector<Range>> ranges_;  // nullptr: every number
};

}  // namespace postern::analysis
