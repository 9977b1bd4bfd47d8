// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/session.h"

#include "base/assert.h"
#include "base/limits.h"
#include "base/prefetch.h"
#include "dataplane/nat/host_counts.h"
#include "dataplane/nat/session_ages.h"

namespace postern {

struct alignas(kOwnLines) SessionTable::State {
  State(const SessionLimits& the_limits, const HashSeed& seed, TableArray<Session>& sessions,
        TableArray<SessionDetail>& details)
      : limits(the_limits), hosts(the_limits.hosts, seed), ages(sessions, details) {}

  SessionLimits limits;
  HostCounts hosts;
  SessionAges ages;
  uint32_t size = 0;
  uint32_t free = kNone;  // list through SessionDetail::age_next
};

SessionTable::SessionTable(const SessionLimits& limits, const HashSeed& seed)
    : seed_(seed),
      index_(limits.sessions * 2),
      sessions_(limits.sessions),
      details_(limits.sessions),
      state_(new State(limits, seed, sessions_, details_)) {
  // Values are index * 2 + direction, and links of ages use the highest bit.
  POSTERN_ASSERT(limits.sessions < 0x7FFFFFFF);
  for (uint32_t i = limits.sessions; i-- > 0;) {
    details_[i].age_next = state_->free;
    state_->free = i;
  }
}

SessionTable::~SessionTable() = default;

SessionTable::Inserted SessionTable::insert(const WholeSession& whole, Instant now) {
  State& state = *state_;
  const Session& session = whole.session;
  const uint32_t index = state.free;
  if (index == kNone) return {kNone, DropReason::session_table_full};
  // All that is far away is asked for at once.
  const uint64_t hashes[2] = {hash(session.key[0]), hash(session.key[1])};
  index_.prefetch(hashes[0]);
  index_.prefetch(hashes[1]);
  if (session.key[0] == session.key[1] || find(session.key[0], hashes[0]) != kNone ||
      find(session.key[1], hashes[1]) != kNone) {
    return {kNone, DropReason::no_external_port};
  }
  DropReason reason = state.hosts.add(session.key[0].source, session.key[1].source,
                                      state.limits.from_host, state.limits.to_host);
  if (reason != DropReason::none) return {kNone, reason};
  index_.insert(hashes[0], index * 2);
  index_.insert(hashes[1], index * 2 + 1);
  state.free = details_[index].age_next;
  look_ahead(state.free);  // for the next one
  Session& added = sessions_[index];
  added = session;
  added.in_use = true;
  added.last_seen = to_ticks(now);
  details_[index] = whole.detail;
  details_[index].created = to_ticks(now);
  state.ages.insert(index, now);
  ++state.size;
  return {index, DropReason::none};
}

void SessionTable::erase(uint32_t index) {
  State& state = *state_;
  Session& session = sessions_[index];
  POSTERN_DCHECK(session.in_use);
  const uint64_t hashes[2] = {hash(session.key[0]), hash(session.key[1])};
  index_.prefetch(hashes[0]);
  index_.prefetch(hashes[1]);
  state.ages.remove(index);
  index_.erase(hashes[0], index * 2);
  index_.erase(hashes[1], index * 2 + 1);
  state.hosts.remove(session.key[0].source, session.key[1].source);
  session = Session{};
  details_[index].age_next = state.free;
  state.free = index;
  --state.size;
}

// Asks the cache for a session, present or to come.
void SessionTable::look_ahead(uint32_t index) const {
  if (index >= sessions_.size()) return;
  prefetch(&sessions_[index]);
  prefetch(&details_[index]);
}

void SessionTable::look_ahead_hosts(be32 opener, be32 responder) const {
  state_->hosts.look_ahead(opener, responder);
}

uint32_t SessionTable::look_ahead_after(uint32_t index) const {
  const uint32_t next = details_[index].age_next;
  if (next >= sessions_.size()) return kNone;
  const Session& session = sessions_[next];
  index_.prefetch(hash(session.key[0]));
  index_.prefetch(hash(session.key[1]));
  state_->hosts.look_ahead(session.key[0].source, session.key[1].source);
  look_ahead(details_[next].age_next);
  return details_[next].mapping;
}

void SessionTable::carry_over(uint32_t index, int direction) {
  Session& session = sessions_[index];
  SessionDetail& detail = details_[index];
  if (direction == 0) {
    detail.packets_original += session.packets[0];
  } else {
    detail.packets_reply += session.packets[1];
  }
  detail.bytes[direction] += session.bytes[direction];
  session.packets[direction] = 0;
  session.bytes[direction] = 0;
}

void SessionTable::move(uint32_t index, Instant now, TimeoutClass timeout_class) {
  state_->ages.remove(index);
  sessions_[index].timeout = timeout_class;
  state_->ages.insert(index, now);
}

uint32_t SessionTable::next_expired(Instant now, const Timeouts& timeouts) {
  return state_->ages.next_expired(now, timeouts);
}

uint32_t SessionTable::victim() {
  return state_->ages.victim();
}
uint32_t SessionTable::size() const {
  return state_->size;
}
uint32_t SessionTable::hosts() const {
  return state_->hosts.size();
}
size_t SessionTable::bytes() const {
  return index_.bytes() + sessions_.bytes() + details_.bytes();
}
uint32_t SessionTable::half_open() const {
  return state_->ages.size_of(AgeList::half_open);
}

}  // namespace postern
