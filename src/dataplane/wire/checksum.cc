// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/wire/checksum.h"

#include <cstring>

namespace postern {

uint16_t sum(const uint8_t* bytes, size_t length, uint32_t start) {
  // RFC 1071 section 2 (C): wide additions, carries folded at the end. 2^32 words of 32 bits fit
  // before the accumulator could overflow; a frame is far from that.
  uint64_t total = start;
  for (; length >= 8; length -= 8, bytes += 8) {
    uint32_t words[2];
    std::memcpy(words, bytes, 8);
    total += uint64_t{words[0]} + words[1];
  }
  if (length >= 4) {
    uint32_t word;
    std::memcpy(&word, bytes, 4);
    total += word;
    length -= 4;
    bytes += 4;
  }
  if (length >= 2) {
    uint16_t word;
    std::memcpy(&word, bytes, 2);
    total += word;
    length -= 2;
    bytes += 2;
  }
  if (length == 1) total += *bytes;  // padded with a zero behind, which is the high byte here
  total = (total & 0xFFFFFFFF) + (total >> 32);
  total = (total & 0xFFFFFFFF) + (total >> 32);
  return fold(static_cast<uint32_t>((total & 0xFFFF) + (total >> 16)));
}

}  // namespace postern
