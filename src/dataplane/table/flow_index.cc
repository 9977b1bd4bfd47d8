// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/flow_index.h"

#include <algorithm>

namespace postern {

FlowIndex::FlowIndex(uint32_t capacity)
    : capacity_(capacity),
      bucket_count_(std::max(1u, (capacity + kSlotsFilled - 1) / kSlotsFilled)),
      buckets_(bucket_count_) {}

bool FlowIndex::insert(uint64_t hash, uint32_t value) {
  if (size_ == capacity_) return false;
  // There are more slots than capacity, so this ends.
  uint32_t at = home_of(hash);
  unsigned free;
  while ((free = buckets_[at].matches(0)) == 0) {
    ++buckets_[at].passed;
    at = next(at);
  }
  const auto slot = static_cast<unsigned>(std::countr_zero(free));
  buckets_[at].tags[slot] = tag_of(hash);
  buckets_[at].values[slot] = value;
  ++size_;
  return true;
}

bool FlowIndex::erase(uint64_t hash, uint32_t value) {
  const uint32_t home = home_of(hash);
  for (uint32_t at = home;; at = next(at)) {
    Bucket& bucket = buckets_[at];
    for (unsigned left = bucket.matches(tag_of(hash)); left != 0; left &= left - 1) {
      const auto slot = static_cast<unsigned>(std::countr_zero(left));
      if (bucket.values[slot] != value) continue;
      bucket.tags[slot] = 0;
      for (uint32_t before = home; before != at; before = next(before))
        --buckets_[before].passed;
      --size_;
      return true;
    }
    if (bucket.passed == 0) return false;
  }
}

}  // namespace postern
