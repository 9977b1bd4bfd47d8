// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/block/name_set.h"

#include <sodium.h>

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace postern::dns {
namespace {

static_assert(sizeof(NameSetKey) == crypto_shorthash_KEYBYTES);

// hash (58 bits) | exact_only (1) | list (5): among equal hashes the wider entry sorts first.
constexpr uint64_t kHashMask = ~uint64_t{63};
constexpr uint64_t kExactOnly = 32;
constexpr uint64_t kListMask = 31;
constexpr size_t kEntriesPerPlace = 8;

uint64_t hash_of(std::span<const uint8_t> wire, const NameSetKey& key) {
  std::array<uint8_t, crypto_shorthash_BYTES> out;
  crypto_shorthash(out.data(), wire.data(), wire.size(), key.data());
  return std::bit_cast<uint64_t>(out) & kHashMask;
}

uint8_t lower(uint8_t c) {
  return c >= 'A' && c <= 'Z' ? static_cast<uint8_t>(c | 0x20) : c;
}

}  // namespace

NameSetKey random_name_set_key() {
  NameSetKey key;
  POSTERN_ASSERT(sodium_init() >= 0);
  randombytes_buf(key.data(), key.size());
  return key;
}

std::optional<uint8_t> NameSet::find(std::span<const uint8_t> wire) const {
  std::array<uint8_t, 255> name;
  if (entries_.empty() || wire.empty() || wire.size() > name.size()) return std::nullopt;
  // Length octets are below 64 and so no letters.
  std::ranges::transform(wire, name.begin(), lower);
  const std::span<const uint8_t> whole(name.data(), wire.size());
  // The index and the entries are mostly not in the cache: all are asked for before any is read.
  std::array<uint64_t, 128> hashes;
  size_t labels = 0;
  for (size_t at = 0; whole[at] != 0;) {
    const size_t next = at + whole[at] + 1;
    if (whole[at] > 63 || next >= whole.size()) return std::nullopt;
    hashes[labels] = hash_of(whole.subspan(at), key_);
    __builtin_prefetch(&first_[hashes[labels++] >> shift_]);
    at = next;
  }
  for (size_t i = 0; i < labels; ++i) {
    __builtin_prefetch(entries_.data() + first_[hashes[i] >> shift_]);
  }
  for (size_t i = 0; i < labels; ++i) {
    if (auto list = find_hash(hashes[i], i != 0)) return list;
  }
  return std::nullopt;
}

std::optional<uint8_t> NameSet::find_hash(uint64_t hash, bool is_parent) const {
  const size_t place = hash >> shift_;
  for (uint32_t i = first_[place]; i < first_[place + 1]; ++i) {
    const uint64_t entry = entries_[i];
    if ((entry & kHashMask) != hash) continue;
    if (is_parent && (entry & kExactOnly) != 0) return std::nullopt;
    return static_cast<uint8_t>(entry & kListMask);
  }
  return std::nullopt;
}

void NameSetBuilder::expect(size_t names) {
  entries_.reserve(std::min(names, names_max_));
}

bool NameSetBuilder::add(std::span<const uint8_t> wire, bool with_subdomains, uint8_t list) {
  POSTERN_ASSERT(list < NameSet::kListsMax);
  if (entries_.size() >= names_max_) return false;
  entries_.push_back(hash_of(wire, key_) | (with_subdomains ? 0 : kExactOnly) | list);
  return true;
}

NameSet NameSetBuilder::build() && {
  std::ranges::sort(entries_);
  const auto end = std::unique(entries_.begin(), entries_.end(), [](uint64_t a, uint64_t b) {
    return (a & kHashMask) == (b & kHashMask);
  });
  NameSet set;
  set.key_ = key_;
  set.entries_.assign(entries_.begin(), end);  // exactly as long as it needs to be
  entries_ = {};
  const size_t places = std::max<size_t>(2, std::bit_ceil(set.entries_.size() / kEntriesPerPlace));
  set.shift_ = 64 - static_cast<unsigned>(std::countr_zero(places));
  set.first_.assign(places + 1, 0);
  for (const uint64_t entry : set.entries_)
    ++set.first_[(entry >> set.shift_) + 1];
  for (size_t i = 1; i <= places; ++i)
    set.first_[i] += set.first_[i - 1];
  return set;
}

}  // namespace postern::dns
