// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/policy/identities.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace postern {

// cold: made by control with every log-in and log-out.
Identities::Identities(uint32_t number, std::vector<Entry> entries, std::vector<Change> changes,
                       uint32_t forgotten, unsigned workers)
    : generation(number), changes_(std::move(changes)), forgotten_(forgotten) {
  POSTERN_ASSERT(entries.size() <= kIdentitiesMax);
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.address < b.address; });
  size_t groups = 0;
  for (const Entry& entry : entries)
    groups += std::min(entry.groups.size(), kGroupsOfUserMax);
  groups_.reserve(groups);  // identities look into it: it must not move
  hosts_.reserve(entries.size());
  identities_.reserve(entries.size());
  for (const Entry& entry : entries) {
    POSTERN_ASSERT(hosts_.empty() || hosts_.back() < entry.address);
    const size_t first = groups_.size();
    const size_t count = std::min(entry.groups.size(), kGroupsOfUserMax);
    groups_.insert(groups_.end(), entry.groups.begin(),
                   entry.groups.begin() + static_cast<std::ptrdiff_t>(count));
    hosts_.push_back(entry.address);
    identities_.push_back(Identity{entry.user, {groups_.data() + first, count}});
  }
  if (hosts_.empty()) return;
  seen_.reserve(workers);
  for (unsigned i = 0; i < workers; ++i)
    seen_.emplace_back(hosts_.size());
}

uint32_t Identities::index_of(Ipv4Address address) const {
  auto found = std::lower_bound(hosts_.begin(), hosts_.end(), address);
  if (found == hosts_.end() || *found != address) return kNobody;
  return static_cast<uint32_t>(found - hosts_.begin());
}

bool Identities::changes_after(uint32_t since, std::span<const Change>& changes) const {
  auto first = std::upper_bound(
      changes_.begin(), changes_.end(), since,
      [](uint32_t value, const Change& change) { return value < change.generation; });
  changes = {first, changes_.end()};
  return since >= forgotten_;
}

uint32_t Identities::last_seen(uint32_t index) const {
  uint64_t latest = 0;
  for (const auto& worker : seen_)
    latest = std::max(latest, worker[index].read());
  return static_cast<uint32_t>(latest);
}

}  // namespace postern
