// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/flow_map.h"

#include "base/assert.h"

namespace postern {

inline uint32_t FlowMap::Bucket::find(KeyWords key) const {
  uint32_t found = kNone;
  for (unsigned i = 0; i < kSlots; ++i) {
    uint64_t differs = (keys[i].addresses ^ key.addresses) | (keys[i].others ^ key.others);
    found &= values[i] | (differs == 0 ? 0 : kNone);
  }
  return found;
}

inline unsigned FlowMap::Bucket::empty_slot() const {
  unsigned i = 0;
  while (i < kSlots && values[i] != kNone)
    ++i;
  return i;
}

inline unsigned FlowMap::Bucket::slot_of(KeyWords key) const {
  unsigned i = 0;
  while (i < kSlots &&
         (keys[i].addresses != key.addresses || keys[i].others != key.others || values[i] == kNone))
    ++i;
  return i;
}

FlowMap::FlowMap(uint32_t capacity, const HashSeed& seed)
    : capacity_(capacity), bucket_count_(capacity / 2 + 1), seed_(seed), buckets_(bucket_count_) {}

uint32_t FlowMap::find(KeyWords key) const {
  for (uint32_t at = home_of(key);; at = next(at)) {
    const Bucket& bucket = buckets_[at];
    uint32_t value = bucket.find(key);
    if (value != kNone || bucket.passed == 0) return value;
  }
}

bool FlowMap::insert(KeyWords key, uint32_t value) {
  POSTERN_DCHECK(value != kNone);
  if (size_ == capacity_ || find(key) != kNone) return false;
  // There are more slots than capacity, so this ends.
  uint32_t at = home_of(key);
  unsigned slot;
  while ((slot = buckets_[at].empty_slot()) == kSlots) {
    ++buckets_[at].passed;
    at = next(at);
  }
  buckets_[at].keys[slot] = key;
  buckets_[at].values[slot] = value;
  ++size_;
  return true;
}

bool FlowMap::erase(KeyWords key) {
  uint32_t home = home_of(key);
  uint32_t at = home;
  unsigned slot;
  while ((slot = buckets_[at].slot_of(key)) == kSlots) {
    if (buckets_[at].passed == 0) return false;
    at = next(at);
  }
  for (uint32_t before = home; before != at; before = next(before))
    --buckets_[before].passed;
  buckets_[at].keys[slot] = {};
  buckets_[at].values[slot] = kNone;
  --size_;
  return true;
}

}  // namespace postern
