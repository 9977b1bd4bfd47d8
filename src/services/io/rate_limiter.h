// SPDX-License-Identifier: BSD-3-Clause
// RateLimiter: so many queries, handshakes or the like a second, or another period, from one
// client, with a burst of one period's worth.
//
// A table of fixed size in sets of four: a client that finds neither itself nor an idle place in
// its set shares one, so a flood from many addresses slows strangers of the same set and no others.
// Thread: control.
#pragma once

#include <array>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "services/io/hash.h"

namespace postern::io {

class RateLimiter {
 public:
  explicit RateLimiter(const HashSeed& seed) : seed_(seed), sets_(kSets) {}
  // 0: no limit.
  void set_rate(uint32_t count, Duration period = seconds(1)) {
    count_ = count;
    period_ = period;
  }
  bool allows(Ipv4Address client, Instant now);

 private:
  static constexpr size_t kSets = 1024;
  struct Place {
    uint32_t address = 0;
    Instant paid_until;  // each query moves this on by its share of the period
  };
  using Set = std::array<Place, 4>;

  HashSeed seed_;
  uint32_t count_ = 0;
  Duration period_ = seconds(1);
  std::vector<Set> sets_;
};

}  // namespace postern::io
