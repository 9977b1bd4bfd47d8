// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/cache.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace postern::dns {
namespace {

constexpr uint32_t kSweptPerCall = 256;
constexpr size_t kAllocationBytes = 16;  // what malloc keeps for itself

constexpr Duration seconds_of(uint32_t s) {
  return seconds(int64_t{s});
}

}  // namespace

Cache::Cache(const CacheLimits& limits, const io::HashSeed& seed) : limits_(limits), seed_(seed) {
  build_index();
}

Cache::~Cache() = default;

Cache::Key Cache::key_of(Bytes lower_question, bool wants_dnssec, bool checking_disabled) const {
  auto bits = static_cast<uint8_t>((wants_dnssec ? 1 : 0) | (checking_disabled ? 2 : 0));
  return {lower_question, bits, hash_of(lower_question, bits, seed_)};
}

void Cache::build_index() {
  limits_.entries = std::max<uint32_t>(limits_.entries, 16);
  size_t size = std::bit_ceil(size_t{limits_.entries} * 2);
  bytes_ -= slots_.size() * sizeof(uint32_t);
  slots_.assign(size, kNone);
  slots_.shrink_to_fit();
  bytes_ += slots_.size() * sizeof(uint32_t);
  for (uint32_t number = 0; number < entries_.size(); ++number) {
    if (is_used(number)) index(number);
  }
}

void Cache::index(uint32_t number) {
  size_t mask = slots_.size() - 1;
  size_t slot = entries_[number].hash & mask;
  while (slots_[slot] != kNone)
    slot = (slot + 1) & mask;
  slots_[slot] = number;
}

// Takes the entry out of the index and closes the gap, so that no mark of a removed one is needed.
void Cache::unindex(uint32_t number) {
  size_t mask = slots_.size() - 1;
  size_t gap = entries_[number].hash & mask;
  while (slots_[gap] != number)
    gap = (gap + 1) & mask;
  for (size_t at = (gap + 1) & mask; slots_[at] != kNone; at = (at + 1) & mask) {
    size_t home = entries_[slots_[at]].hash & mask;
    // May what lies at `at` move to the gap? Only if its home is not behind the gap.
    if (((at - home) & mask) < ((at - gap) & mask)) continue;
    slots_[gap] = slots_[at];
    gap = at;
  }
  slots_[gap] = kNone;
}

uint32_t* Cache::find_slot(const Key& key) {
  size_t mask = slots_.size() - 1;
  for (size_t slot = key.hash & mask; slots_[slot] != kNone; slot = (slot + 1) & mask) {
    const CacheEntry& entry = entries_[slots_[slot]];
    if (entry.hash != key.hash || entry.bits != key.bits) continue;
    if (entry.message_bytes < kHeaderBytes + key.question.size()) continue;
    if (std::memcmp(entry.octets.get() + kHeaderBytes, key.question.data(), key.question.size()) ==
        0) {
      return &slots_[slot];
    }
  }
  return nullptr;
}

bool Cache::is_over(const CacheEntry& entry, Instant now) const {
  return now >= entry.expires + seconds_of(entry.is_failure ? 0 : limits_.stale_s);
}

CacheEntry* Cache::find(const Key& key, Instant now) {
  uint32_t* slot = find_slot(key);
  if (!slot) return nullptr;
  CacheEntry& entry = entries_[*slot];
  if (is_over(entry, now)) return nullptr;
  entry.was_used = true;
  return &entry;
}

CacheEntry* Cache::insert(const Key& key, const Answer& answer, Instant now) {
  uint32_t limit = answer.is_negative ? limits_.negative_ttl_max_s : limits_.ttl_max_s;
  uint32_t ttl = std::min(answer.ttl_s, limit);
  size_t padded = (answer.message.size() + 1) / 2 * 2;
  size_t size = padded + answer.ttl_at.size() * sizeof(uint16_t);
  if (uint32_t* old = find_slot(key)) remove(*old);
  if (ttl == 0 || size > limits_.bytes / 16) return nullptr;
  make_room(size + sizeof(CacheEntry) + kAllocationBytes);
  uint32_t number = take_entry();
  CacheEntry& entry = entries_[number];
  entry.hash = key.hash;
  entry.bits = key.bits;
  entry.stored = now;
  entry.expires = now + seconds_of(ttl);
  entry.asked_again = {};
  entry.is_negative = answer.is_negative;
  entry.is_failure = answer.is_failure;
  entry.was_used = false;
  entry.message_bytes = static_cast<uint32_t>(answer.message.size());
  entry.ttls = static_cast<uint16_t>(answer.ttl_at.size());
  entry.octets = std::make_unique_for_overwrite<uint8_t[]>(size);
  std::memcpy(entry.octets.get(), answer.message.data(), answer.message.size());
  std::memcpy(entry.octets.get() + padded, answer.ttl_at.data(),
              answer.ttl_at.size() * sizeof(uint16_t));
  // No TTL that is told exceeds the time that the answer is kept.
  for (uint16_t at : answer.ttl_at) {
    std::span<uint8_t> octets(entry.octets.get(), entry.message_bytes);
    put32(octets, at, std::min(get32(octets, at), ttl));
  }
  bytes_ += bytes_of(entry);
  ++used_;
  index(number);
  link_newest(number);
  return &entry;
}

uint64_t Cache::bytes_of(const CacheEntry& entry) const {
  return sizeof(CacheEntry) + kAllocationBytes + (entry.message_bytes + 1) / 2 * 2 +
         entry.ttls * sizeof(uint16_t);
}

uint32_t Cache::take_entry() {
  if (free_ != kNone) {
    uint32_t number = free_;
    free_ = entries_[number].newer;
    return number;
  }
  entries_.emplace_back();
  return static_cast<uint32_t>(entries_.size() - 1);
}

void Cache::remove(uint32_t number) {
  CacheEntry& entry = entries_[number];
  unindex(number);
  unlink(number);
  bytes_ -= bytes_of(entry);
  --used_;
  entry.octets.reset();
  entry.newer = free_;
  free_ = number;
}

void Cache::link_newest(uint32_t number) {
  CacheEntry& entry = entries_[number];
  entry.newer = kNone;
  entry.older = newest_;
  if (newest_ != kNone) entries_[newest_].newer = number;
  newest_ = number;
  if (oldest_ == kNone) oldest_ = number;
}

void Cache::unlink(uint32_t number) {
  CacheEntry& entry = entries_[number];
  (entry.newer == kNone ? newest_ : entries_[entry.newer].older) = entry.older;
  (entry.older == kNone ? oldest_ : entries_[entry.older].newer) = entry.newer;
}

void Cache::make_room(uint64_t bytes) {
  while (used_ > 0 && (used_ + 1 > limits_.entries || bytes_ + bytes > limits_.bytes)) {
    uint32_t number = oldest_;
    CacheEntry& entry = entries_[number];
    if (entry.was_used) {
      entry.was_used = false;
      unlink(number);
      link_newest(number);
      continue;
    }
    remove(number);
    ++evicted_;
  }
}

size_t Cache::flush(const Name& name) {
  size_t count = 0;
  for (uint32_t number = 0; number < entries_.size(); ++number) {
    if (!is_used(number)) continue;
    Name owner;
    if (!read_name(entries_[number].message(), kHeaderBytes, owner)) continue;
    if (!is_within(owner.key(), name.key())) continue;
    remove(number);
    ++count;
  }
  return count;
}

void Cache::sweep(Instant now) {
  for (uint32_t i = 0; i < kSweptPerCall && !entries_.empty(); ++i) {
    swept_ = swept_ + 1 < entries_.size() ? swept_ + 1 : 0;
    if (is_used(swept_) && is_over(entries_[swept_], now)) remove(swept_);
  }
}

void Cache::set_limits(const CacheLimits& limits) {
  if (limits == limits_) return;
  limits_ = limits;
  limits_.entries = std::max<uint32_t>(limits_.entries, 16);
  while (used_ > limits_.entries) {
    remove(oldest_);
    ++evicted_;
  }
  build_index();
  make_room(0);
}

}  // namespace postern::dns
