// SPDX-License-Identifier: BSD-3-Clause
// HandshakeRation: how many handshakes a second are begun: each costs this side signatures before
// it knows who is there. So many of one address, and so many of all together, with a burst of one
// second's worth; one address does not use up what is for all. Fixed size
// (io::RateLimiter). Pure of time; thread: control.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/time.h"
#include "services/io/rate_limiter.h"

namespace postern {

class HandshakeRation {
 public:
  HandshakeRation(uint32_t of_all, uint32_t of_each);
  bool allows(Ipv4Address from, Instant now) {
    return each_.allows(from, now) && all_.allows(Ipv4Address(), now);
  }

 private:
  io::RateLimiter all_, each_;
};

}  // namespace postern
