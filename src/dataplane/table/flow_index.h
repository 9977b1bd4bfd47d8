// SPDX-License-Identifier: BSD-3-Clause
// FlowIndex: hash -> 32-bit values, for keys that lie elsewhere. Fixed capacity, one writer.
//
//   bucket: | tag tag ... ten of 16 bits | value value ... ten of 32 bits | passed |   one line
//
// A tag is 16 bits of the hash that the place of the bucket does not use; all tags of a bucket are
// compared at once, and the caller compares the key itself where the value leads (one try in
// several thousands goes astray). That makes an entry 8 bytes instead of 32 with its key, so the
// index of a million sessions stays near the core while the sessions themselves do not.
//
// An entry lives in the bucket its hash points at or, where that is full, in the next one with
// room. As in FlowMap each bucket counts the entries that went past it: a look-up stops at the
// first bucket that nobody passed, and erasing leaves no tombstones.
// Thread: the owning worker.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/prefetch.h"
#include "dataplane/table/flow_map.h"
#include "dataplane/table/table_memory.h"

namespace postern {

class FlowIndex {
 public:
  // `capacity` entries always fit.
  explicit FlowIndex(uint32_t capacity);

  // Where a look-up of `hash` begins.
  struct Spot {
    uint32_t bucket, tag;
  };
  Spot spot_of(uint64_t hash) const { return {home_of(hash), tag_of(hash)}; }

  // Asks the cache for the bucket; ahead of anything below.
  void prefetch(uint64_t hash) const { prefetch(spot_of(hash)); }
  void prefetch(Spot spot) const { postern::prefetch(&buckets_[spot.bucket]); }
  // What most likely lies there, without a look at keys; kNone: nothing.
  uint32_t guess(Spot spot) const {
    for (uint32_t at = spot.bucket;; at = next(at)) {
      const Bucket& bucket = buckets_[at];
      const unsigned found = bucket.matches(static_cast<uint16_t>(spot.tag));
      if (found != 0) [[likely]]
        return bucket.values[std::countr_zero(found)];
      if (bucket.passed == 0) return kNone;
    }
  }
  // The value under `hash` that `is_meant` (uint32_t -> bool) says yes to, or kNone.
  template <typename IsMeant>
  uint32_t find(uint64_t hash, IsMeant is_meant) const {
    for (uint32_t at = home_of(hash);; at = next(at)) {
      const Bucket& bucket = buckets_[at];
      for (unsigned left = bucket.matches(tag_of(hash)); left != 0; left &= left - 1) {
        uint32_t value = bucket.values[std::countr_zero(left)];
        if (is_meant(value)) return value;
      }
      if (bucket.passed == 0) return kNone;
    }
  }
  // The caller knows that the key is not there yet. False: `capacity` entries are in.
  bool insert(uint64_t hash, uint32_t value);
  // False: it was not there.
  bool erase(uint64_t hash, uint32_t value);
  uint32_t size() const { return size_; }
  size_t bytes() const { return buckets_.bytes(); }

 private:
  static constexpr unsigned kSlots = 10;
  static constexpr unsigned kSlotsFilled = 8;  // of a bucket on average when the index is full
  struct alignas(64) Bucket {
    uint16_t tags[kSlots] = {};  // 0: free
    uint32_t values[kSlots] = {};
    uint32_t passed = 0;  // entries kept further on because this bucket was full

    // Bit i: slot i has this tag.
    unsigned matches(uint16_t tag) const;
  };
  static_assert(sizeof(Bucket) == 64);

  static uint16_t tag_of(uint64_t hash) {
    auto tag = static_cast<uint16_t>(hash);
    return tag == 0 ? uint16_t{1} : tag;
  }
  // Spreads the upper half of a hash evenly over any number of buckets, without a division.
  uint32_t home_of(uint64_t hash) const {
    return static_cast<uint32_t>((hash >> 32) * bucket_count_ >> 32);
  }
  uint32_t next(uint32_t bucket) const { return bucket + 1 == bucket_count_ ? 0 : bucket + 1; }

  uint32_t capacity_;
  uint32_t size_ = 0;
  uint32_t bucket_count_;
  TableArray<Bucket> buckets_;
};

inline unsigned FlowIndex::Bucket::matches(uint16_t tag) const {
#ifdef __SSE2__
  // Slots 0 to 7, then 2 to 9, of which the last two count.
  const __m128i wanted = _mm_set1_epi16(static_cast<short>(tag));
  __m128i low, high;
  std::memcpy(&low, tags, sizeof low);
  std::memcpy(&high, tags + kSlots - 8, sizeof high);
  const __m128i equal =
      _mm_packs_epi16(_mm_cmpeq_epi16(low, wanted), _mm_cmpeq_epi16(high, wanted));
  const auto mask = static_cast<unsigned>(_mm_movemask_epi8(equal));
  return (mask & 0xFF) | (mask >> 14 << 8);
#else
  unsigned mask = 0;
  for (unsigned i = 0; i < kSlots; ++i)
    mask |= (tags[i] == tag ? 1u : 0u) << i;
  return mask;
#endif
}

}  // namespace postern
