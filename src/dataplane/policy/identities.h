// SPDX-License-Identifier: BSD-3-Clause
// Identities: who is logged in at which inside address (F27). Control makes a new set with every
// log-in and log-out and puts it before the workers as it does with policies
// (table/publish_slot.h); the rules stay as they are.
//
//   log-in -> Identities n+1, with what changed since -> slot -> worker, at the begin of a turn:
//   rules that name users ask it about new flows; a sweep judges the sessions of changed hosts
//
// Immutable once published, but for the times at which hosts were seen, which each worker writes in
// an array of its own. Bounded: kIdentitiesMax hosts, kGroupsOfUserMax groups each.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/limits.h"
#include "dataplane/packet/counters.h"
#include "dataplane/packet/match.h"
#include "dataplane/table/publish_slot.h"
#include "dataplane/table/table_memory.h"

namespace postern {

constexpr size_t kIdentitiesMax = 4096;     // hosts; a look-up costs a dozen steps
constexpr size_t kGroupsOfUserMax = 128;    // with those that groups are in
constexpr size_t kIdentityChangesMax = 64;  // beyond them a worker judges all hosts' sessions

class Identities {
 public:
  // --- filled by control, then immutable
  struct Entry {
    Ipv4Address address;
    SubjectId user = 0;
    std::vector<SubjectId> groups;
  };
  // At `address` somebody logged in or out with that generation; `was` was logged in before.
  struct Change {
    uint32_t generation = 0;
    Ipv4Address address;
    SubjectId was = 0;  // 0: nobody
  };
  Identities() = default;
  // `entries` of one address each, in any order; `changes` ascending by generation, all of those
  // after `forgotten`. Seen times are kept for `workers`; 0: nobody asks for them.
  Identities(uint32_t generation, std::vector<Entry> entries, std::vector<Change> changes,
             uint32_t forgotten, unsigned workers);

  uint32_t generation = 0;  // from 1, grows with every publication

  // --- questions; thread: any
  static constexpr uint32_t kNobody = UINT32_MAX;
  size_t size() const { return hosts_.size(); }
  // Its place, or kNobody.
  uint32_t index_of(Ipv4Address address) const;
  const Identity* find(Ipv4Address address) const {
    if (hosts_.empty()) return nullptr;
    const uint32_t index = index_of(address);
    return index == kNobody ? nullptr : &identities_[index];
  }
  Ipv4Address address_at(uint32_t index) const { return hosts_[index]; }
  // The changes after generation `since`. False: some are forgotten, any host may have changed.
  bool changes_after(uint32_t since, std::span<const Change>& changes) const;

  // --- when hosts were last seen, in ticks of a session; 0: not under this set
  bool watches() const { return !seen_.empty(); }
  // Thread: that worker.
  void note_seen(unsigned worker, uint32_t index, uint32_t ticks) const {
    Counter& seen = seen_[worker][index];
    if (seen.read() < ticks) seen.set(ticks);
  }
  // Thread: control. By any worker.
  uint32_t last_seen(uint32_t index) const;

 private:
  std::vector<Ipv4Address> hosts_;    // ascending
  std::vector<Identity> identities_;  // by place in hosts_
  std::vector<SubjectId> groups_;     // of all of them
  std::vector<Change> changes_;
  uint32_t forgotten_ = 0;
  mutable std::vector<TableArray<Counter>> seen_;  // by worker; worker: write, control: read
};

using IdentitySlot = PublishSlot<Identities>;

}  // namespace postern
