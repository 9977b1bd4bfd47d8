// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/gatekeeper.h"

#include <algorithm>

#include "base/assert.h"

namespace postern::remote {
bool Gatekeeper::is_listed(Ipv4Address from) const {
  return listed_.empty() || std::ranges::any_of(listed_, [from](const AddressRange& range) {
           return range.first <= from && from <= range.last;
         });
}

Gatekeeper::Answer Gatekeeper::admit(Ipv4Address from, Instant now) {
  if (!is_listed(from)) {
    ++counters_.not_listed;
    return Answer::not_listed;
  }
  auto waiting = pending_.find(from);
  const size_t own = waiting == pending_.end() ? 0 : waiting->second;
  if (own >= kPendingPerAddress) {
    ++counters_.too_many;
    return Answer::too_many;
  }
  if (!hellos_.allows(from, now)) {
    ++counters_.too_often;
    return Answer::too_often;
  }
  if (pending() >= kPendingMax && !make_room(own)) {
    ++counters_.too_many;
    return Answer::too_many;
  }
  ++counters_.admitted;
  ++pending_[from];
  return Answer::admitted;
}

// For an address that has `own` places.
bool Gatekeeper::make_room(size_t own) {
  auto most =
      std::ranges::max_element(pending_, {}, [](const auto& entry) { return entry.second; });
  if (most == pending_.end() || most->second <= own + 1 || !turn_out_) return false;
  const Ipv4Address crowd = most->first;
  ++counters_.turned_out;
  leave(crowd);
  turn_out_(crowd);
  return true;
}

void Gatekeeper::leave(Ipv4Address from) {
  auto own = pending_.find(from);
  POSTERN_ASSERT(own != pending_.end());
  if (--own->second == 0) pending_.erase(own);
}

bool Gatekeeper::begin_session(Ipv4Address from, const Holder& holder) {
  const auto of_one = std::ranges::count(sessions_, holder.account, &Holder::account);
  const auto of_others = std::ranges::count(sessions_, false, &Holder::is_admin);
  const bool has_room = sessions_.size() < kSessionsMax &&
                        static_cast<size_t>(of_one) < kSessionsOfOne &&
                        (holder.is_admin || static_cast<size_t>(of_others) < kSessionsOfOthers);
  if (!has_room) return false;
  leave(from);
  sessions_.push_back(holder);
  return true;
}

void Gatekeeper::end_session(const Holder& holder) {
  auto own = std::ranges::find(sessions_, holder);
  POSTERN_ASSERT(own != sessions_.end());
  sessions_.erase(own);
}

size_t Gatekeeper::pending() const {
  size_t sum = 0;
  for (const auto& [address, count] : pending_)
    sum += count;
  return sum;
}

}  // namespace postern::remote
