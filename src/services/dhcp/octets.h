// SPDX-License-Identifier: BSD-3-Clause
// Numbers of two and four octets in network order. The caller has made sure that they are there.
#pragma once

#include <cstdint>

namespace postern::dhcp {

inline uint16_t load16(const uint8_t* at) {
  return static_cast<uint16_t>(at[0] << 8 | at[1]);
}

inline uint32_t load32(const uint8_t* at) {
  return uint32_t{load16(at)} << 16 | load16(at + 2);
}

inline void store16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

inline void store32(uint8_t* at, uint32_t value) {
  store16(at, static_cast<uint16_t>(value >> 16));
  store16(at + 2, static_cast<uint16_t>(value));
}

}  // namespace postern::dhcp
