// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/rate_limiter.h"

#include <algorithm>

namespace postern::io {

bool RateLimiter::allows(Ipv4Address client, Instant now) {
  if (count_ == 0) return true;
  Set& set = sets_[fold(client.number ^ seed_.first, seed_.second) % kSets];
  auto place = std::find_if(set.begin(), set.end(),
                            [&](const Place& p) { return p.address == client.number; });
  if (place == set.end()) {
    place =
        std::find_if(set.begin(), set.end(), [&](const Place& p) { return p.paid_until < now; });
    if (place == set.end()) place = set.begin();
    place->address = client.number;
  }
  const Instant paid = std::max(place->paid_until, now) + nanoseconds(period_.ns / count_);
  if (paid > now + period_) return false;
  place->paid_until = paid;
  return true;
}

}  // namespace postern::io
