// SPDX-License-Identifier: BSD-3-Clause
// hash_of(): a seeded hash of short byte strings for tables whose keys strangers choose. The seed
// is drawn at start, so that nobody can make keys that collide. Eight bytes a step, multiplied to
// 128 bits and folded. Thread: any.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

namespace postern::io {

struct HashSeed {
  uint64_t first = 0x9E3779B97F4A7C15;
  uint64_t second = 0xD1B54A32D192ED03;
};

// From a cryptographic generator.
HashSeed random_seed();

inline uint64_t fold(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t hash_of(std::span<const uint8_t> bytes, uint64_t more, const HashSeed& seed) {
  uint64_t state = seed.first ^ more;
  size_t left = bytes.size();
  const uint8_t* at = bytes.data();
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    state = fold(state ^ word, seed.second);
  }
  uint64_t word = 0;
  std::memcpy(&word, at, left);
  state = fold(state ^ word, seed.second ^ bytes.size());
  return fold(state, seed.first | 1);
}

}  // namespace postern::io
