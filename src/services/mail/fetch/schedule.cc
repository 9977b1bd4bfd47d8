// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/fetch/schedule.h"

#include <algorithm>

namespace postern::mail {

void Schedule::follow(Duration every, const std::vector<uint32_t>& times, Instant now) {
  every_ = every;
  times_ = times;
  next_ = now;
  failures_ = 0;
  is_waiting_ = true;
  // What runs goes by what was before.
  is_woken_ = is_running_;
}

bool Schedule::is_due(Instant now, const std::function<bool(uint32_t time)>& time_holds) const {
  if (is_running_) return false;
  if (is_demanded_) return true;
  if (!is_waiting_ || now < next_) return false;
  return times_.empty() || std::any_of(times_.begin(), times_.end(), time_holds);
}

void Schedule::ended(bool was_well, Instant now) {
  is_running_ = false;
  is_demanded_ = false;
  is_waiting_ = true;
  if (is_woken_) {
    is_woken_ = false;
    next_ = now;
    return;
  }
  if (was_well) {
    failures_ = 0;
    is_waiting_ = every_.ns > 0;
    next_ = now + every_;
    return;
  }
  const Duration first = every_.ns > 0 ? every_ : kPauseFirst;
  const Duration longest = std::max(first, kPauseMax);
  Duration pause = first;
  for (unsigned i = 0; i < failures_ && pause < longest; ++i)
    pause = pause * 2;
  ++failures_;
  next_ = now + std::min(pause, longest);
}

void Schedule::wake() {
  is_woken_ = is_running_;
  is_waiting_ = true;
  next_ = {};
  failures_ = 0;
}

}  // namespace postern::mail
