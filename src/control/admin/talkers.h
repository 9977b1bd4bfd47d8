// SPDX-License-Identifier: BSD-3-Clause
// Talkers: which inside hosts move how much, from copies of sessions; and how fast, between two
// looks. What a session that ended has moved is not in it any more. Bounded: kSessionsMax sessions
// a look, shared out to the workers, so that neither they nor the control thread spend longer on
// it however many sessions there are; kShownMax hosts an answer. Pure; thread: control.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace postern::admin {

struct Talk {
  uint32_t sessions = 0;
  uint64_t sent_bytes = 0, received_bytes = 0;  // by the host
};

struct Talker {
  Ipv4Address host;
  Talk talk;
  double sent_rate = 0, received_rate = 0;  // bytes a second since the look before
};

class Talkers {
 public:
  static constexpr uint32_t kSessionsMax = 65'536;
  static constexpr size_t kShownMax = 256;
  // Looks that come sooner are compared with the same look before.
  static constexpr Duration kLookEvery = milliseconds(800);

  // By address, host order.
  using Look = std::unordered_map<uint32_t, Talk>;

  // Those that move most, first by rate, then by bytes. `look` is what there is at `now`.
  std::vector<Talker> rank(Look look, Instant now);

 private:
  Look last_, before_;
  Instant last_at_, before_at_;
};

}  // namespace postern::admin
