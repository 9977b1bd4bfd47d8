// SPDX-License-Identifier: BSD-3-Clause
// be16, be32: integers in network byte order, stored as bytes with alignment 1, so that they may
// overlay any place of a frame. Reading the number is always explicit: value().
#pragma once

#include <bit>
#include <compare>
#include <cstdint>

namespace postern {

static_assert(std::endian::native == std::endian::little, "Postern runs on little-endian machines");

class be16 {
 public:
  constexpr be16() = default;
  constexpr explicit be16(uint16_t host)
      : bytes_{static_cast<uint8_t>(host >> 8), static_cast<uint8_t>(host)} {}

  constexpr uint16_t value() const { return static_cast<uint16_t>(bytes_[0] << 8 | bytes_[1]); }
  // The two bytes as they lie in memory; for sums (RFC 1071) and keys, where order is no matter.
  constexpr uint16_t raw() const { return std::bit_cast<uint16_t>(*this); }
  static constexpr be16 from_raw(uint16_t raw) { return std::bit_cast<be16>(raw); }

  friend constexpr bool operator==(be16 a, be16 b) { return a.raw() == b.raw(); }
  friend constexpr auto operator<=>(be16 a, be16 b) { return a.value() <=> b.value(); }

 private:
  uint8_t bytes_[2] = {0, 0};
};

class be32 {
 public:
  constexpr be32() = default;
  constexpr explicit be32(uint32_t host)
      : bytes_{static_cast<uint8_t>(host >> 24), static_cast<uint8_t>(host >> 16),
               static_cast<uint8_t>(host >> 8), static_cast<uint8_t>(host)} {}

  constexpr uint32_t value() const { return __builtin_bswap32(raw()); }
  constexpr uint32_t raw() const { return std::bit_cast<uint32_t>(*this); }
  static constexpr be32 from_raw(uint32_t raw) { return std::bit_cast<be32>(raw); }

  friend constexpr bool operator==(be32 a, be32 b) { return a.raw() == b.raw(); }
  friend constexpr auto operator<=>(be32 a, be32 b) { return a.value() <=> b.value(); }

 private:
  [[maybe_unused]] uint8_t bytes_[4] = {0, 0, 0, 0};  // read by raw() alone
};

static_assert(sizeof(be16) == 2 && alignof(be16) == 1);
static_assert(sizeof(be32) == 4 && alignof(be32) == 1);

}  // namespace postern
