// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/rate_limiter.h"

#include <algorithm>

namespace postern::io {

bool RateLimiter::allows(Ipv4Address client, Instant now) {
  if (per_second_ == 0) return true;
  Set& set = sets_[fold(client.number ^ seed_.first, seed_.second) % kSets];
  auto place = std::find_if(set.begin(), set.end(),
                            [&](const Place& p) { return p.address == client.number; });
  if (place == set.end()) {
    place =
        std::find_if(set.begin(), set.end(), [&](const Place& p) { return p.paid_until < now; });
    if (place == set.end()) place = set.begin();
    place->address = client.number;
  }
  constexpr Duration kBurst = seconds(1);
  Instant paid = std::max(place->paid_until, now);
  if (paid >= now + kBurst) return false;
  place->paid_until = paid + nanoseconds(1'000'000'000 / per_second_);
  return true;
}

}  // namespace postern::io
