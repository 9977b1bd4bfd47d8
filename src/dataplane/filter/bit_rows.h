// SPDX-License-Identifier: BSD-3-Clause
// Rows of the compiled classifier: which rules a value of one field leaves possible, one bit a
// rule, 64 rules a cluster.
//
//   row:  any[W]      bit c: some rule of cluster c is possible
//         partial[W]  bit c: some is, but not all; only these clusters have a word below
//         words[...]  one for each partial cluster, in order
//
// Most fields say nothing about most rules, or refuse all of a cluster, so a row is a line or two
// where the plain bit vector would be kilobytes, and equal rows are stored once. W is the number of
// clusters / 64, rounded up.
//
// cold: built with a policy, off the packet path; the packet path reads the words alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace postern {

constexpr unsigned kClusterRules = 64;

using RowOffset = uint32_t;  // of a row's first word in its pool

// Where a rule begins or ends to be possible as a field's value grows.
struct RowEdge {
  uint64_t at = 0;
  uint32_t position = 0;  // bit of the rule
  bool begins = false;
};

// From `first` up to the next step's, values have `row`.
struct RowStep {
  uint32_t first = 0;
  RowOffset row = 0;
};

class RowPool {
 public:
  // `rules` bits in each row; at most `bytes_max` in all.
  RowPool(size_t rules, size_t bytes_max);

  // The row in which the rules of `bits`, one word a cluster, are possible.
  RowOffset intern(const std::vector<uint64_t>& bits);
  // The row in which all are.
  RowOffset full_row();
  // Whether some row did not fit; offsets given out from then on mean nothing.
  bool has_overflowed() const { return overflowed_; }

  size_t rules() const { return rules_; }
  size_t clusters() const { return live_.size(); }
  size_t summary_words() const { return summary_words_; }  // W
  size_t bytes() const { return words_.size() * sizeof(uint64_t); }
  std::vector<uint64_t> take() { return std::move(words_); }

 private:
  bool is_at(RowOffset offset) const;

  std::vector<uint64_t> live_;  // bits that stand for a rule
  std::vector<uint64_t> words_;
  std::vector<uint64_t> row_;  // the one at hand
  std::unordered_multimap<uint64_t, RowOffset> by_hash_;
  size_t rules_, summary_words_, words_max_;
  bool overflowed_ = false;
};

// The rows of a field, by growing values from 0. `always` are the rules that it does not speak of.
// A rule's ranges must not overlap; edges at or above `end` are left out.
std::vector<RowStep> row_steps(RowPool& pool, std::vector<uint64_t> always,
                               std::vector<RowEdge> edges, uint64_t end);

inline void set_bit(std::vector<uint64_t>& bits, size_t position) {
  bits[position / kClusterRules] |= uint64_t{1} << (position % kClusterRules);
}

}  // namespace postern
