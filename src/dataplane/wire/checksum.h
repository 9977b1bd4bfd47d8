// SPDX-License-Identifier: BSD-3-Clause
// Internet checksum: sum (RFC 1071) and incremental update (RFC 1624, equation 3).
//
// All values are in memory order (be16::raw()): the one's complement sum does not mind byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/endian.h"

namespace postern {

// One's complement sum of `length` bytes, folded to 16 bits, not inverted; `start` is added in.
uint16_t sum(const uint8_t* bytes, size_t length, uint32_t start = 0);

constexpr uint16_t fold(uint32_t total) {
  total = (total & 0xFFFF) + (total >> 16);
  total = (total & 0xFFFF) + (total >> 16);
  return static_cast<uint16_t>(total);
}

// Whether the checksum of an IPv4 header without options holds; its first byte is not zero. A one's
// complement sum is a sum modulo 65535, for words of 32 bits as well.
inline bool plain_header_holds(const uint8_t* header) {
  auto word = [header](unsigned at) {
    uint32_t value;
    std::memcpy(&value, header + at, sizeof value);
    return uint64_t{value};
  };
  return (word(0) + word(4) + word(8) + word(12) + word(16)) % 65535 == 0;
}

// The difference that replacing `from` by `to` makes; differences add up with combine().
constexpr uint16_t difference(be16 from, be16 to) {
  return fold(uint32_t{static_cast<uint16_t>(~from.raw())} + to.raw());
}
constexpr uint16_t combine(uint16_t a, uint16_t b) {
  return fold(uint32_t{a} + b);
}
constexpr uint16_t difference(be32 from, be32 to) {
  uint32_t f = ~from.raw(), t = to.raw();
  return fold((f & 0xFFFF) + (f >> 16) + (t & 0xFFFF) + (t >> 16));
}
// HC' = ~(~HC + ~m + m')
constexpr be16 updated(be16 checksum, uint16_t delta) {
  uint16_t total = fold(uint32_t{static_cast<uint16_t>(~checksum.raw())} + delta);
  return be16::from_raw(static_cast<uint16_t>(~total));
}

}  // namespace postern
