// SPDX-License-Identifier: BSD-3-Clause
// Schedule: when something that is done again and again is due (F52): after a pause, which grows
// while it fails, and within times of the calendar. Pure; thread: any.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/time.h"

namespace postern::mail {

class Schedule {
 public:
  static constexpr Duration kPauseMax = seconds(3600);   // after failures, where `every` is less
  static constexpr Duration kPauseFirst = seconds(300);  // where there is no `every`

  // Due at once, or when what runs has ended. `every` of 0: once, and when it is woken or demanded.
  // `times`: any of them; empty: always.
  void follow(Duration every, const std::vector<uint32_t>& times, Instant now);

  bool is_due(Instant now, const std::function<bool(uint32_t time)>& time_holds) const;
  void begun() { is_running_ = true; }
  void ended(bool was_well, Instant now);
  // Due when the times hold.
  void wake();
  // Due, whatever the times say.
  void demand() { is_demanded_ = true; }

 private:
  Duration every_;
  std::vector<uint32_t> times_;
  Instant next_;
  unsigned failures_ = 0;
  bool is_waiting_ = false;  // for next_; else for wake()
  bool is_demanded_ = false;
  bool is_running_ = false;
  bool is_woken_ = false;  // while it ran
};

}  // namespace postern::mail
