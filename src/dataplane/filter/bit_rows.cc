// SPDX-License-Identifier: BSD-3-Clause
// cold: built with a policy, off the packet path.
#include "dataplane/filter/bit_rows.h"

#include <algorithm>

namespace postern {
namespace {

uint64_t hash_of(const std::vector<uint64_t>& words) {
  uint64_t hash = words.size();
  for (uint64_t word : words) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  return hash;
}

}  // namespace

RowPool::RowPool(size_t rules, size_t bytes_max)
    : live_((rules + kClusterRules - 1) / kClusterRules, ~uint64_t{0}),
      rules_(rules),
      summary_words_(std::max<size_t>((live_.size() + 63) / 64, 1)),
      words_max_(std::min<size_t>(bytes_max / sizeof(uint64_t), UINT32_MAX)) {
  if (rules % kClusterRules != 0) live_.back() = (uint64_t{1} << (rules % kClusterRules)) - 1;
}

bool RowPool::is_at(RowOffset offset) const {
  return row_.size() <= words_.size() - offset &&
         std::equal(row_.begin(), row_.end(), words_.begin() + offset);
}

RowOffset RowPool::intern(const std::vector<uint64_t>& bits) {
  row_.assign(2 * summary_words_, 0);
  for (size_t cluster = 0; cluster < live_.size(); ++cluster) {
    if (bits[cluster] == 0) continue;
    uint64_t bit = uint64_t{1} << (cluster % 64);
    row_[cluster / 64] |= bit;
    if (bits[cluster] == live_[cluster]) continue;
    row_[summary_words_ + cluster / 64] |= bit;
    row_.push_back(bits[cluster]);
  }
  uint64_t hash = hash_of(row_);
  auto [begin, end] = by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (is_at(it->second)) return it->second;
  }
  if (overflowed_ || words_.size() + row_.size() > words_max_) {
    overflowed_ = true;
    return 0;
  }
  auto offset = static_cast<RowOffset>(words_.size());
  words_.insert(words_.end(), row_.begin(), row_.end());
  by_hash_.emplace(hash, offset);
  return offset;
}

RowOffset RowPool::full_row() {
  return intern(std::vector<uint64_t>(live_));
}

std::vector<RowStep> row_steps(RowPool& pool, std::vector<uint64_t> always,
                               std::vector<RowEdge> edges, uint64_t end) {
  // Where one range of a rule ends and its next begins, the end comes first.
  std::sort(edges.begin(), edges.end(), [](const RowEdge& a, const RowEdge& b) {
    return a.at != b.at ? a.at < b.at : a.begins < b.begins;
  });
  std::vector<RowStep> steps;
  std::vector<uint64_t>& bits = always;
  size_t next = 0;
  for (uint64_t at = 0; at < end && !pool.has_overflowed();) {
    for (; next < edges.size() && edges[next].at == at; ++next) {
      bits[edges[next].position / kClusterRules] ^= uint64_t{1}
                                                    << (edges[next].position % kClusterRules);
    }
    RowOffset row = pool.intern(bits);
    if (steps.empty() || steps.back().row != row) steps.push_back({static_cast<uint32_t>(at), row});
    at = next < edges.size() ? edges[next].at : end;
  }
  return steps;
}

}  // namespace postern
