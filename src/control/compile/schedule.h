// SPDX-License-Identifier: BSD-3-Clause
// When rules with `when:` come into and go out of force (F34). The compiler only knows the minute
// it is told; control compiles again at next_change().
//
// All arithmetic is in minutes of the local week. A change of the clock's offset (daylight saving)
// counts as a change of its own: at it the distance to every later boundary is worked out anew.
// Thread: control. Local time is that of the process (TZ, /etc/localtime).
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>

#include "control/config/model.h"

namespace postern {

constexpr uint32_t kMinutesPerWeek = 7 * 24 * 60;

// Monday 00:00 is minute 0.
uint32_t minute_of_week(std::time_t now);

// The first moment after `now` at which a rule may come into or go out of force. Empty: no rule has
// times. The clock may be set meanwhile, so compare minute_of_week() once a minute as well.
std::optional<std::time_t> next_change(const config::Model& model, std::time_t now);

}  // namespace postern
