// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/session.h"

#include "base/assert.h"
#include "dataplane/nat/host_counts.h"
#include "dataplane/nat/session_ages.h"

namespace postern {

struct SessionTable::State {
  State(const SessionLimits& the_limits, const HashSeed& seed, TableArray<Session>& sessions)
      : limits(the_limits),
        keys(the_limits.sessions * 2, seed),
        hosts(the_limits.hosts, seed),
        ages(sessions) {}

  SessionLimits limits;
  FlowMap keys;
  HostCounts hosts;
  SessionAges ages;
  uint32_t size = 0;
  uint32_t free = kNone;  // list through Session::age_next
};

SessionTable::SessionTable(const SessionLimits& limits, const HashSeed& seed)
    : sessions_(limits.sessions), state_(new State(limits, seed, sessions_)) {
  // Values are index * 2 + direction, and links of ages use the highest bit.
  POSTERN_ASSERT(limits.sessions < 0x7FFFFFFF);
  for (uint32_t i = limits.sessions; i-- > 0;) {
    sessions_[i].age_next = state_->free;
    state_->free = i;
  }
}

SessionTable::~SessionTable() = default;

uint32_t SessionTable::find(const FlowKey& key) const {
  return state_->keys.find(key);
}

void SessionTable::find_bulk(std::span<const FlowKey> keys, std::span<uint32_t> values) const {
  state_->keys.find_bulk(keys, values);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (values[i] == kNone) continue;
    const Session& session = sessions_[index_of(values[i])];
    __builtin_prefetch(session.rewrite, 1);  // hot line
    __builtin_prefetch(session.key, 1);      // cold line: counters
  }
}

SessionTable::Inserted SessionTable::insert(const Session& session, Instant now) {
  State& state = *state_;
  uint32_t index = state.free;
  if (index == kNone) return {kNone, DropReason::session_table_full};
  // All that is far away is asked for at once.
  state.keys.prefetch(session.key[0]);
  state.keys.prefetch(session.key[1]);
  __builtin_prefetch(sessions_[index].rewrite, 1);
  be32 opener = session.key[0].source, responder = session.key[1].source;
  DropReason reason =
      state.hosts.add(opener, responder, state.limits.from_host, state.limits.to_host);
  if (reason != DropReason::none) return {kNone, reason};
  if (!state.keys.insert(session.key[0], index * 2)) {
    state.hosts.remove(opener, responder);
    return {kNone, DropReason::no_external_port};
  }
  if (!state.keys.insert(session.key[1], index * 2 + 1)) {
    state.keys.erase(session.key[0]);
    state.hosts.remove(opener, responder);
    return {kNone, DropReason::no_external_port};
  }
  state.free = sessions_[index].age_next;
  Session& added = sessions_[index];
  added = session;
  added.in_use = true;
  added.created = added.last_seen = to_ticks(now);
  state.ages.insert(index, now);
  ++state.size;
  return {index, DropReason::none};
}

void SessionTable::erase(uint32_t index) {
  State& state = *state_;
  Session& session = sessions_[index];
  POSTERN_DCHECK(session.in_use);
  state.keys.prefetch(session.key[0]);
  state.keys.prefetch(session.key[1]);
  state.ages.remove(index);
  state.keys.erase(session.key[0]);
  state.keys.erase(session.key[1]);
  state.hosts.remove(session.key[0].source, session.key[1].source);
  session.in_use = false;
  session.age_next = state.free;
  state.free = index;
  --state.size;
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
uint32_t SessionTable::half_open() const {
  return state_->ages.size_of(AgeList::half_open);
}

}  // namespace postern
