// SPDX-License-Identifier: BSD-3-Clause
#include "control/identity/identity_board.h"

#include <algorithm>
#include <utility>

#include "control/compile/subjects.h"

namespace postern {

bool IdentityBoard::set(Ipv4Address address, const std::string& user,
                        const std::vector<std::string>& groups) {
  const auto known = hosts_.find(address);
  if (known == hosts_.end() && hosts_.size() >= kIdentitiesMax) return false;
  Host host;
  host.user = user_number(user);
  host.groups.reserve(groups.size());
  for (const std::string& group : groups)
    host.groups.push_back(group_number(group));
  SubjectId was = 0;
  if (known != hosts_.end()) {
    if (known->second.user == host.user && known->second.groups == host.groups) return true;
    was = known->second.user;
  }
  hosts_[address] = std::move(host);
  note_change(address, was);
  return true;
}

void IdentityBoard::erase(Ipv4Address address) {
  const auto known = hosts_.find(address);
  if (known == hosts_.end()) return;
  const SubjectId was = known->second.user;
  hosts_.erase(known);
  note_change(address, was);
}

void IdentityBoard::note_change(Ipv4Address address, SubjectId was) {
  // What is published late has the number of the set that it comes with.
  changes_.push_back({generation_ + 1, address, was});
  if (changes_.size() > kIdentityChangesMax) {
    forgotten_ = changes_.front().generation;
    changes_.erase(changes_.begin());
  }
  publish();
}

void IdentityBoard::publish() {
  is_late_ = retired_.size() >= kRetiredMax;
  if (is_late_) return;
  std::vector<Identities::Entry> entries;
  entries.reserve(hosts_.size());
  for (const auto& [address, host] : hosts_)
    entries.push_back({address, host.user, host.groups});
  auto fresh = std::make_unique<Identities>(++generation_, std::move(entries), changes_, forgotten_,
                                            workers_);
  slot_.publish(fresh.get());
  if (current_ != nullptr) retired_.push_back({std::move(current_), generation_});
  current_ = std::move(fresh);
}

void IdentityBoard::turn() {
  while (!retired_.empty() && slot_.is_past(retired_.front().replaced_by)) {
    fold(*retired_.front().set);
    retired_.pop_front();
  }
  if (is_late_) publish();
}

void IdentityBoard::fold(const Identities& set) {
  for (auto& [address, host] : hosts_) {
    const uint32_t index = set.index_of(address);
    if (index != Identities::kNobody) host.seen = std::max(host.seen, set.last_seen(index));
  }
}

uint32_t IdentityBoard::last_seen(Ipv4Address address) const {
  const auto known = hosts_.find(address);
  if (known == hosts_.end()) return 0;
  uint32_t seen = known->second.seen;
  auto look = [&](const Identities& set) {
    const uint32_t index = set.index_of(address);
    if (index != Identities::kNobody) seen = std::max(seen, set.last_seen(index));
  };
  if (current_ != nullptr) look(*current_);
  for (const Retired& retired : retired_)
    look(*retired.set);
  return seen;
}

}  // namespace postern
