// SPDX-License-Identifier: BSD-3-Clause
// FlowMap: FlowKey -> 32-bit value, open addressing, fixed capacity, one writer.
//
//   bucket: | key | key | key | value value value | passed |    one cache line
//
// A key lives in the bucket its hash points at or, where that is full, in the next one with room.
// Each bucket counts the entries that went past it, so a look-up stops at the first bucket that
// nobody passed (nearly always the first), and erasing leaves no tombstones: the counts go down
// again, and years of churn do not slow it.
//
// Sized once so that `capacity` entries always fit (it keeps free room of its own beyond that). The
// hash is keyed with a random seed per start, so that nobody outside can aim at one bucket.
// Memory: 32 bytes an entry of capacity.
// Thread: the owning worker.
#pragma once

#include <bit>
#include <cstdint>

#include "base/prefetch.h"
#include "dataplane/packet/flow_key.h"
#include "dataplane/table/table_memory.h"

namespace postern {

constexpr uint32_t kNone = 0xFFFFFFFF;

struct HashSeed {
  uint64_t words[2] = {0, 0};  // from a cryptographic generator
};

inline uint64_t multiply_mix(uint64_t a, uint64_t b) {
  __extension__ using uint128 = unsigned __int128;
  uint128 product = static_cast<uint128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Multiply-mix keyed with both words of the seed; every bit of it is good.
inline uint64_t hash_of(KeyWords key, const HashSeed& seed) {
  uint64_t mixed = multiply_mix(key.addresses ^ seed.words[0], key.others ^ seed.words[1]);
  // The second round takes away what structure one product leaves (keys that differ in few bits).
  return multiply_mix(mixed ^ seed.words[1], 0x9E3779B97F4A7C15);  // odd, half its bits set
}
inline uint64_t hash_of(const FlowKey& key, const HashSeed& seed) {
  return hash_of(std::bit_cast<KeyWords>(key), seed);
}

class FlowMap {
 public:
  FlowMap(uint32_t capacity, const HashSeed& seed);

  // The value, or kNone.
  uint32_t find(KeyWords key) const;
  uint32_t find(const FlowKey& key) const { return find(std::bit_cast<KeyWords>(key)); }
  // Asks the cache for where `key` is or would be; ahead of insert() or erase().
  void prefetch(KeyWords key) const { postern::prefetch(&buckets_[home_of(key)]); }
  // False: the key is there already, or `capacity` entries are in. `value` is not kNone.
  bool insert(KeyWords key, uint32_t value);
  bool insert(const FlowKey& key, uint32_t value) {
    return insert(std::bit_cast<KeyWords>(key), value);
  }
  // False: it was not there.
  bool erase(KeyWords key);
  bool erase(const FlowKey& key) { return erase(std::bit_cast<KeyWords>(key)); }
  uint32_t size() const { return size_; }
  uint32_t capacity() const { return capacity_; }

 private:
  static constexpr unsigned kSlots = 3;
  // An empty slot has value kNone and an all-zero key. kNone is all ones, the neutral element of
  // "and", so a look-up joins the values of matching slots without a branch and without a mask of
  // used slots.
  struct alignas(64) Bucket {
    KeyWords keys[kSlots];
    uint32_t values[kSlots] = {kNone, kNone, kNone};
    uint32_t passed = 0;  // entries kept further on because this bucket was full

    uint32_t find(KeyWords key) const;
    unsigned empty_slot() const;           // kSlots: there is none
    unsigned slot_of(KeyWords key) const;  // kSlots: there is none
  };
  static_assert(sizeof(Bucket) == 64);

  // Spreads the upper half of a hash evenly over any number of buckets, without a division.
  uint32_t home_of(KeyWords key) const {
    return static_cast<uint32_t>((hash_of(key, seed_) >> 32) * bucket_count_ >> 32);
  }
  uint32_t next(uint32_t bucket) const { return bucket + 1 == bucket_count_ ? 0 : bucket + 1; }

  uint32_t capacity_;
  uint32_t size_ = 0;
  uint32_t bucket_count_;
  HashSeed seed_;
  TableArray<Bucket> buckets_;
};

}  // namespace postern
