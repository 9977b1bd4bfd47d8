// SPDX-License-Identifier: BSD-3-Clause
#include "control/compile/schedule.h"

#include <algorithm>
#include <vector>

#include "control/config/resolve.h"

namespace postern {
namespace {

std::tm local(std::time_t at) {
  std::tm parts = {};
  localtime_r(&at, &parts);
  return parts;
}

// Minutes of the week at which an enabled rule begins or ends to hold.
std::vector<uint32_t> boundaries_of(const config::Model& model) {
  std::vector<uint32_t> boundaries;
  config::Resolver resolver(model.objects);
  for (const config::FilterRule& rule : model.filter.rules) {
    if (!rule.enabled || rule.when.empty()) continue;
    auto intervals = resolver.times(rule.when);
    if (!intervals) continue;  // compile() reports it
    for (const config::WeekInterval& interval : *intervals) {
      if (interval.last - interval.first >= kMinutesPerWeek) continue;  // always
      boundaries.push_back(interval.first % kMinutesPerWeek);
      boundaries.push_back(interval.last % kMinutesPerWeek);
    }
  }
  return boundaries;
}

// The first whole minute in (from, to] whose offset is not `offset`; at `to` it is not.
std::time_t offset_change(std::time_t from, std::time_t to, long offset) {
  while (to - from > 60) {
    std::time_t middle = from + (to - from) / 120 * 60;
    if (local(middle).tm_gmtoff == offset) {
      from = middle;
    } else {
      to = middle;
    }
  }
  return to;
}

}  // namespace

uint32_t minute_of_week(std::time_t now) {
  std::tm parts = local(now);
  auto day = static_cast<uint32_t>(parts.tm_wday + 6) % 7;  // tm_wday counts from Sunday
  return day * 24 * 60 + static_cast<uint32_t>(parts.tm_hour * 60 + parts.tm_min);
}

std::optional<std::time_t> next_change(const config::Model& model, std::time_t now) {
  uint32_t minute = minute_of_week(now);
  uint32_t nearest = 0;
  for (uint32_t boundary : boundaries_of(model)) {
    uint32_t distance = (boundary + kMinutesPerWeek - minute) % kMinutesPerWeek;
    if (distance == 0) distance = kMinutesPerWeek;
    nearest = nearest == 0 ? distance : std::min(nearest, distance);
  }
  if (nearest == 0) return std::nullopt;
  std::tm parts = local(now);
  std::time_t this_minute = now - parts.tm_sec;
  std::time_t at = this_minute + std::time_t{nearest} * 60;
  if (local(at).tm_gmtoff == parts.tm_gmtoff) return at;
  return offset_change(this_minute, at, parts.tm_gmtoff);
}

}  // namespace postern
