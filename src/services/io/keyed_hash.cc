// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/keyed_hash.h"

#include <sodium.h>

#include <cstring>

#include "base/assert.h"

namespace postern::io {
namespace {

static_assert(sizeof(HashKey::octets) == crypto_shorthash_KEYBYTES);
static_assert(sizeof(uint64_t) == crypto_shorthash_BYTES);

HashKey drawn_key() {
  POSTERN_ASSERT(sodium_init() >= 0);
  HashKey key;
  randombytes_buf(key.octets, sizeof key.octets);
  return key;
}

}  // namespace

uint64_t keyed_hash(std::string_view octets, const HashKey& key) {
  uint64_t hash;
  crypto_shorthash(reinterpret_cast<uint8_t*>(&hash),
                   reinterpret_cast<const uint8_t*>(octets.data()), octets.size(), key.octets);
  return hash;
}

size_t KeyedHash::operator()(std::string_view octets) const {
  static const HashKey key = drawn_key();
  return keyed_hash(octets, key);
}

}  // namespace postern::io
