// SPDX-License-Identifier: BSD-3-Clause
// NumberIndex: the row of a 16-bit number under a protocol: of a port, of an ICMP type and code.
// A table of pages whose equal pages are one, so that a look-up is three loads out of a few lines.
// Immutable; thread: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "dataplane/filter/bit_rows.h"

namespace postern {

class NumberIndex {
 public:
  NumberIndex() = default;
  // The steps of each protocol that has some (the first at 0); all others have `row_of_rest`.
  NumberIndex(const std::map<uint8_t, std::vector<RowStep>>& steps, RowOffset row_of_rest);

  RowOffset find(uint8_t protocol, uint16_t number) const {
    size_t root = size_t{roots_[protocol]} * 256;
    size_t page = size_t{pages_[root + (number >> 8)]} * 256;
    return rows_[page + (number & 0xFF)];
  }

  size_t bytes() const;

 private:
  using Page = std::array<RowOffset, 256>;

  void add_root(std::span<const RowStep> steps, std::map<Page, uint16_t>& known);

  std::array<uint16_t, 256> roots_ = {};  // by protocol; 0: the rest
  std::vector<uint16_t> pages_;           // by root, then the number's upper half
  std::vector<RowOffset> rows_;           // by page, then its lower half
};

}  // namespace postern
