// SPDX-License-Identifier: BSD-3-Clause
#include "control/handshake_ration.h"

#include <catch2/catch.hpp>

using namespace postern;

TEST_CASE("control/handshake_ration: so many of one address, so many of all", "[F61]") {
  HandshakeRation ration(100, 20);
  const Instant now = Instant{} + seconds(100);
  const auto allowed = [&](uint32_t first, uint32_t addresses, int times) {
    int count = 0;
    for (int i = 0; i < times; ++i) {
      const Ipv4Address from(first + static_cast<uint32_t>(i) % addresses);
      count += ration.allows(from, now) ? 1 : 0;
    }
    return count;
  };
  CHECK(allowed(0xC0A8010A, 1, 1000) == 20);
  CHECK(allowed(0xC0A80200, 200, 1000) == 80);
}
