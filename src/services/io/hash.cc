// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/hash.h"

#include <sodium.h>

#include "base/assert.h"

namespace postern::io {

HashSeed random_seed() {
  POSTERN_ASSERT(sodium_init() >= 0);
  HashSeed seed;
  randombytes_buf(&seed, sizeof seed);
  return seed;
}

}  // namespace postern::io
