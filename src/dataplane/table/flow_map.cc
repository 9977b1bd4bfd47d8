// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/flow_map.h"

#include <array>
#include <bit>

#include "base/assert.h"
#include "base/limits.h"

namespace postern {
namespace {

uint64_t multiply_mix(uint64_t a, uint64_t b) {
  __extension__ using uint128 = unsigned __int128;
  uint128 product = static_cast<uint128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Spreads the upper half of a hash evenly over any number of buckets, without a division.
uint32_t scale(uint64_t hash, uint32_t count) {
  return static_cast<uint32_t>((hash >> 32) * count >> 32);
}

}  // namespace

uint64_t hash_of(const FlowKey& key, const HashSeed& seed) {
  auto words = std::bit_cast<std::array<uint64_t, 2>>(key);
  uint64_t mixed = multiply_mix(words[0] ^ seed.words[0], words[1] ^ seed.words[1]);
  // The second round takes away what structure one product leaves (keys that differ in few bits).
  return multiply_mix(mixed ^ seed.words[1], 0x9E3779B97F4A7C15);  // odd, half its bits set
}

inline FlowMap::KeyWords FlowMap::words_of(const FlowKey& key) {
  static_assert(sizeof(KeyWords) == sizeof(FlowKey));
  return std::bit_cast<KeyWords>(key);
}

inline uint32_t FlowMap::Bucket::find(KeyWords key) const {
  uint32_t found = kNone;
  for (unsigned i = 0; i < kSlots; ++i) {
    uint64_t differs = (keys[i].low ^ key.low) | (keys[i].high ^ key.high);
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
  while (i < kSlots && (keys[i].low != key.low || keys[i].high != key.high || values[i] == kNone))
    ++i;
  return i;
}

FlowMap::FlowMap(uint32_t capacity, const HashSeed& seed)
    : capacity_(capacity), bucket_count_(capacity / 2 + 1), seed_(seed), buckets_(bucket_count_) {}

inline uint32_t FlowMap::home_of(const FlowKey& key) const {
  return scale(hash_of(key, seed_), bucket_count_);
}

void FlowMap::prefetch(const FlowKey& key) const {
  __builtin_prefetch(&buckets_[home_of(key)], 1);
}

uint32_t FlowMap::find(const FlowKey& key) const {
  KeyWords words = words_of(key);
  for (uint32_t at = home_of(key);; at = next(at)) {
    const Bucket& bucket = buckets_[at];
    uint32_t value = bucket.find(words);
    if (value != kNone || bucket.passed == 0) return value;
  }
}

void FlowMap::find_bulk(std::span<const FlowKey> keys, std::span<uint32_t> values) const {
  POSTERN_DCHECK(keys.size() <= kBurstMax && values.size() >= keys.size());
  uint32_t homes[kBurstMax];
  size_t count = keys.size();
  for (size_t i = 0; i < count; ++i) {
    homes[i] = home_of(keys[i]);
    __builtin_prefetch(&buckets_[homes[i]]);
  }
  for (size_t i = 0; i < count; ++i) {
    KeyWords words = words_of(keys[i]);
    uint32_t at = homes[i];
    uint32_t value = buckets_[at].find(words);
    while (value == kNone && buckets_[at].passed != 0)
      [[unlikely]] {
        at = next(at);
        value = buckets_[at].find(words);
      }
    values[i] = value;
  }
}

bool FlowMap::insert(const FlowKey& key, uint32_t value) {
  POSTERN_DCHECK(value != kNone);
  if (size_ == capacity_ || find(key) != kNone) return false;
  // There are more slots than capacity, so this ends.
  uint32_t at = home_of(key);
  unsigned slot;
  while ((slot = buckets_[at].empty_slot()) == kSlots) {
    ++buckets_[at].passed;
    at = next(at);
  }
  buckets_[at].keys[slot] = words_of(key);
  buckets_[at].values[slot] = value;
  ++size_;
  return true;
}

bool FlowMap::erase(const FlowKey& key) {
  KeyWords words = words_of(key);
  uint32_t home = home_of(key);
  uint32_t at = home;
  unsigned slot;
  while ((slot = buckets_[at].slot_of(words)) == kSlots) {
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
