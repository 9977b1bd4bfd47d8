// SPDX-License-Identifier: BSD-3-Clause
// AddressIndex: the row of an address. The addresses at which the row changes ("steps") are kept in
// order, by their lower halves. The upper half finds the few steps of its /16, and the count of
// those at or below the lower half finds the row.
//
//   blocks_[upper 10 bits]: which of its 64 /16s have steps, and where these begin in
//     buckets_: keys of each such /16, [begin, count]  -> count those at most the lower 16 bits
//                                                      -> rows_[begin + that]
//
// A /16 with many steps has a page of 256 buckets more, one a /24. So a look-up is four or five
// dependent loads, however many steps there are, and out of little memory: the addresses of the
// whole internet, at which nothing changes, share 16 KiB. Immutable; thread: any.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/filter/bit_rows.h"

namespace postern {

class AddressIndex {
 public:
  AddressIndex() = default;
  // The first step is at address 0.
  explicit AddressIndex(std::span<const RowStep> steps);

  // The steps among which an address lies: its row is rows[number of keys at most `value`].
  // Counting them is left to the caller, which knows the instructions of the machine.
  struct Run {
    const uint16_t* keys;  // sorted; kRunMax can be read
    const RowOffset* rows;
    uint32_t count;  // of keys, at most kRunMax
    uint16_t value;
  };
  static constexpr uint32_t kRunMax = 32;

  [[gnu::always_inline]] Run find(uint32_t address) const;

  size_t bytes() const;

 private:
  struct Block {
    uint64_t has_steps = 0;  // bit i: its i-th /16
    uint32_t first = 0;      // of their buckets
  };
  struct Bucket {
    uint32_t begin = 0;  // of its keys; the row before them is rows_[begin]
    uint32_t count = 0;  // or kPage | index of its page
  };
  static constexpr uint32_t kPage = uint32_t{1} << 31;

  std::vector<Block> blocks_;    // 1,024
  std::vector<Bucket> buckets_;  // of the /16s with steps, one behind them, then pages of 256
  std::vector<uint16_t> keys_;   // lower half of step i + 1, for all steps but the first
  std::vector<RowOffset> rows_;  // of step i
};

inline AddressIndex::Run AddressIndex::find(uint32_t address) const {
  const Block& block = blocks_[address >> 22];
  unsigned place = address >> 16 & 63;
  uint64_t below = (uint64_t{1} << place) - 1;
  Bucket bucket =
      buckets_[block.first + static_cast<unsigned>(std::popcount(block.has_steps & below))];
  // A /16 without steps has the row before the next bucket's keys.
  uint32_t n = bucket.count & (0u - static_cast<uint32_t>(block.has_steps >> place & 1));
  if (n & kPage) [[unlikely]] {
    bucket = buckets_[(n & ~kPage) + (address >> 8 & 0xFF)];
    n = bucket.count;
  }
  auto value = static_cast<uint16_t>(address);
  uint32_t begin = bucket.begin;
  while (n > kRunMax)
    [[unlikely]] {  // at most 256 keys in a /24
      uint32_t half = n / 2;
      begin += keys_[begin + half - 1] <= value ? half : 0;
      n -= half;
    }
  return {keys_.data() + begin, rows_.data() + begin, n, value};
}

}  // namespace postern
