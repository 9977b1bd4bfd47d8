// SPDX-License-Identifier: BSD-3-Clause
#include "control/handshake_ration.h"

#include <sodium.h>

#include "base/assert.h"

namespace postern {
namespace {

dns::HashSeed random_seed() {
  POSTERN_ASSERT(sodium_init() >= 0);
  dns::HashSeed seed;
  randombytes_buf(&seed, sizeof seed);
  return seed;
}

}  // namespace

HandshakeRation::HandshakeRation(uint32_t of_all, uint32_t of_each)
    : all_(random_seed()), each_(random_seed()) {
  all_.set_rate(of_all);
  each_.set_rate(of_each);
}

}  // namespace postern
