// SPDX-License-Identifier: BSD-3-Clause
// Index: where the head of each object lies, in memory; made from the summaries of the segments at
// start. An entry has 24 octets: 64 bits of the keyed hash of the primary key, 32 of the variant's,
// the segment in which it was last asked for, and the place. The keys themselves are on the disk,
// and compared there: two with the same tags (one pair in 10^6 caches of 10 million) are one place
// that the later one gets.
//
//   shard by the upper bits of the tag -> open addressing, linear, by its lower bits
//
// All variants of a primary key lie one behind the other. A shard grows by a quarter when it is
// seven eighths full, 1/1024 of all at a time, so that nobody waits for it: 27 to 35 octets an
// object. What is removed leaves no mark, the entries behind it move up.
//
// Bounds: the caller's. Thread: the store's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace postern::http {

// Where a record lies: segment (24 bits), offset (20) and size (20), both in kRecordUnit.
class Place {
 public:
  Place() = default;
  Place(uint32_t segment, uint32_t offset, uint32_t octets);
  uint32_t segment() const { return static_cast<uint32_t>(packed_ >> 40); }
  uint32_t offset() const { return static_cast<uint32_t>(packed_ >> 20 & 0xfffff) * 16; }
  uint32_t octets() const { return static_cast<uint32_t>(packed_ & 0xfffff) * 16; }
  bool is_none() const { return packed_ == 0; }
  friend bool operator==(const Place&, const Place&) = default;

 private:
  uint64_t packed_ = 0;
};

struct IndexEntry {
  uint64_t tag = 0;
  uint32_t variant_tag = 0;
  uint32_t asked_in = 0;  // sequence of the segment that was open at the last find(); 0: never
  Place place;            // none: a free place of the table
};
static_assert(sizeof(IndexEntry) == 24);

class Index {
 public:
  // Good until the next insert or erase.
  IndexEntry* find(uint64_t tag, uint32_t variant_tag);
  // Calls `visit(IndexEntry&)` for all variants of a tag.
  template <typename Visit>
  void each_variant(uint64_t tag, Visit visit) {
    Shard& shard = shard_of(tag);
    if (shard.slots.empty()) return;
    size_t at = home_of(tag, shard);
    for (; !shard.slots[at].place.is_none(); at = next(at, shard))
      if (shard.slots[at].tag == tag) visit(shard.slots[at]);
  }
  // In the place of an entry with the same tags, if there is one; true: there was none.
  bool insert(const IndexEntry& entry);
  bool erase(uint64_t tag, uint32_t variant_tag);
  // All variants for which `is_gone(const IndexEntry&)`; returns how many there were.
  template <typename IsGone>
  size_t erase_variants(uint64_t tag, IsGone is_gone) {
    std::vector<uint32_t> gone;
    each_variant(tag, [&](const IndexEntry& entry) {
      if (is_gone(entry)) gone.push_back(entry.variant_tag);
    });
    for (const uint32_t variant_tag : gone)
      erase(tag, variant_tag);
    return gone.size();
  }
  size_t erase_all(uint64_t tag) {
    return erase_variants(tag, [](const IndexEntry&) { return true; });
  }
  void clear();

  size_t size() const { return size_; }
  size_t octets() const;  // of memory

 private:
  struct Shard {
    std::vector<IndexEntry> slots;
    size_t used = 0;
  };
  static constexpr size_t kShards = 1024;

  Shard& shard_of(uint64_t tag) { return shards_[tag >> 54]; }
  static size_t home_of(uint64_t tag, const Shard& shard) {
    return static_cast<size_t>((tag & 0xffffffff) * shard.slots.size() >> 32);
  }
  static size_t next(size_t at, const Shard& shard) {
    return at + 1 == shard.slots.size() ? 0 : at + 1;
  }
  static void put(Shard& shard, const IndexEntry& entry);
  static void grow(Shard& shard);
  void erase_at(Shard& shard, size_t at);

  std::array<Shard, kShards> shards_;
  size_t size_ = 0;
};

}  // namespace postern::http
