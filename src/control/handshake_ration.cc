// SPDX-License-Identifier: BSD-3-Clause
#include "control/handshake_ration.h"

#include "services/io/hash.h"

namespace postern {

HandshakeRation::HandshakeRation(uint32_t of_all, uint32_t of_each)
    : all_(io::random_seed()), each_(io::random_seed()) {
  all_.set_rate(of_all);
  each_.set_rate(of_each);
}

}  // namespace postern
