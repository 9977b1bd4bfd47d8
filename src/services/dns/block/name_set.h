// SPDX-License-Identifier: BSD-3-Clause
// NameSet: a million names in little memory, for the question "is this name, or one above it,
// listed?".
//
// The names themselves are not kept. An entry is 64 bits: 58 of a keyed hash (SipHash-2-4) of the
// name as on the wire in lower case, 5 for the number of the list it came from, and 1 that says
// whether it stands for the names below, too. Entries are sorted; an index by the highest bits of
// the hash leads to about eight of them, one or two cache lines:
//
//   hash ->  first_[hash >> shift]  ->  entries_[...]        9 bytes a name at most
//
// A name that is not listed is taken for a listed one with a chance of (labels * names) / 2^58: for
// a million names and five labels 2 in 10^11 questions. The key is secret, so that nobody can make
// such a name on purpose.
//
// Immutable once built, so any thread may read. Bound: NameSetBuilder's names_max; further names
// are not taken and are counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace postern::dns {

using NameSetKey = std::array<uint8_t, 16>;

// A fresh secret one.
NameSetKey random_name_set_key();

class NameSet {
 public:
  static constexpr size_t kListsMax = 32;

  NameSet() = default;  // holds nothing

  // The number of the list that holds `wire` (as on the wire, uncompressed, in any case of letters)
  // or a name above it; a name nearer to `wire` comes first. Bytes that are no name: nothing.
  std::optional<uint8_t> find(std::span<const uint8_t> wire) const;

  size_t names() const { return entries_.size(); }
  size_t bytes() const {
    return entries_.capacity() * sizeof(uint64_t) + first_.capacity() * sizeof(uint32_t);
  }

 private:
  friend class NameSetBuilder;
  std::optional<uint8_t> find_hash(uint64_t hash, bool is_parent) const;

  NameSetKey key_ = {};
  unsigned shift_ = 0;  // hash >> shift_ is the place in first_
  std::vector<uint32_t> first_;
  std::vector<uint64_t> entries_;
};

class NameSetBuilder {
 public:
  NameSetBuilder(const NameSetKey& key, size_t names_max) : key_(key), names_max_(names_max) {}

  // Room for about that many names at once.
  void expect(size_t names);
  // `wire` is a name in lower case; `list` is below NameSet::kListsMax. False: there is no room.
  bool add(std::span<const uint8_t> wire, bool with_subdomains, uint8_t list);
  // The set; of a name that came more than once the entry that covers most, then the first list.
  NameSet build() &&;

 private:
  NameSetKey key_;
  size_t names_max_;
  std::vector<uint64_t> entries_;
};

}  // namespace postern::dns
