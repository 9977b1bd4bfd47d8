// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/index.h"

#include "base/assert.h"
#include "services/http/store/format.h"

namespace postern::http {
namespace {

constexpr size_t kSlotsLeast = 8;

}  // namespace

Place::Place(uint32_t segment, uint32_t offset, uint32_t octets)
    : packed_(uint64_t{segment} << 40 | uint64_t{offset / kRecordUnit} << 20 |
              octets / kRecordUnit) {
  POSTERN_DCHECK(segment < kSegmentsMost);
  POSTERN_DCHECK(offset < kSegmentMax && octets < kSegmentMax);
}

IndexEntry* Index::find(uint64_t tag, uint32_t variant_tag) {
  Shard& shard = shard_of(tag);
  if (shard.slots.empty()) return nullptr;
  for (size_t at = home_of(tag, shard);; at = next(at, shard)) {
    IndexEntry& entry = shard.slots[at];
    if (entry.place.is_none()) return nullptr;
    if (entry.tag == tag && entry.variant_tag == variant_tag) return &entry;
  }
}

bool Index::insert(const IndexEntry& entry) {
  if (IndexEntry* known = find(entry.tag, entry.variant_tag)) {
    *known = entry;
    return false;
  }
  Shard& shard = shard_of(entry.tag);
  if ((shard.used + 1) * 8 > shard.slots.size() * 7) grow(shard);
  put(shard, entry);
  ++size_;
  return true;
}

void Index::put(Shard& shard, const IndexEntry& entry) {
  size_t at = home_of(entry.tag, shard);
  while (!shard.slots[at].place.is_none())
    at = next(at, shard);
  shard.slots[at] = entry;
  ++shard.used;
}

void Index::grow(Shard& shard) {
  Shard larger;
  const size_t slots = shard.slots.size();
  larger.slots.resize(slots < kSlotsLeast ? kSlotsLeast : slots + slots / 4);
  for (const IndexEntry& entry : shard.slots)
    if (!entry.place.is_none()) put(larger, entry);
  shard = std::move(larger);
}

// Closes the gap: an entry behind it moves up if the gap lies between its home and where it is.
void Index::erase_at(Shard& shard, size_t at) {
  const size_t slots = shard.slots.size();
  size_t gap = at;
  for (size_t i = next(gap, shard); !shard.slots[i].place.is_none(); i = next(i, shard)) {
    const size_t home = home_of(shard.slots[i].tag, shard);
    if ((i + slots - home) % slots < (i + slots - gap) % slots) continue;
    shard.slots[gap] = shard.slots[i];
    gap = i;
  }
  shard.slots[gap] = IndexEntry{};
  --shard.used;
  --size_;
}

bool Index::erase(uint64_t tag, uint32_t variant_tag) {
  IndexEntry* entry = find(tag, variant_tag);
  if (entry == nullptr) return false;
  Shard& shard = shard_of(tag);
  erase_at(shard, static_cast<size_t>(entry - shard.slots.data()));
  return true;
}

void Index::clear() {
  for (Shard& shard : shards_)
    shard = Shard{};
  size_ = 0;
}

size_t Index::octets() const {
  size_t sum = sizeof *this;
  for (const Shard& shard : shards_)
    sum += shard.slots.capacity() * sizeof(IndexEntry);
  return sum;
}

}  // namespace postern::http
