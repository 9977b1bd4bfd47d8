// SPDX-License-Identifier: BSD-3-Clause
// Sessions under a new policy (C02), with somebody else logged in at their host (F27), and at the
// end of their time.
#include <algorithm>

#include "dataplane/pipeline/owner.h"
#include "dataplane/pipeline/review.h"
#include "dataplane/pipeline/state.h"

namespace postern {
namespace {

constexpr uint32_t kSlotsPerSweep = 1024;  // slots looked at in one turn while a policy is new
// Hosts are looked for so often, a slice of the table at a time, so that each is seen every ten
// seconds or so.
constexpr Duration kSeenPeriod = milliseconds(10);
constexpr uint32_t kSeenSlices = 1024;

// The addresses of a session that may be an inside host's.
bool is_of(const Session& session, Ipv4Address host) {
  return session.key[0].source == host.wire() || session.key[1].source == host.wire();
}

}  // namespace

// Zones, routes and mappings say who owns a flow. A session of which no packet would come here is
// opened anew where its next one comes, if that may open one. TCP connections end then.
bool Pipeline::State::is_still_ours(const Session& session) const {
  const InterfaceId in = session.ingress(Direction::original);
  const unsigned rounds = in == kRecirculate ? 1 : 0;
  return owner_of(*policy, session.key[0], in, rounds) == settings.worker;
}

// The host inside may be behind another port by now: what its mapping admits is judged by the rules
// for that one.
void Pipeline::State::follow_host(Mapping& mapping) const {
  if (mapping.internal_interface >= kRecirculate ||
      policy->may_come_from(mapping.internal.address, mapping.internal_interface)) {
    return;
  }
  const Route* route = policy->routes.find(mapping.internal.address);
  if (route != nullptr && route->interface < kRecirculate) {
    mapping.internal_interface = route->interface;
  }
}

bool Pipeline::State::is_still_allowed(uint32_t index) {
  Session& session = sessions.at(index);
  const uint32_t mapping_index = sessions.detail(index).mapping;
  if (!is_still_ours(session)) return false;
  Circumstances circumstances;
  circumstances.identities = identities;
  if (session.kind == SessionKind::mapped_inbound) {
    Mapping& mapping = mappings.at(mapping_index);
    follow_host(mapping);
    Endpoint remote{Ipv4Address(session.key[0].source), session.key[0].source_port.value()};
    if (!admits(mapping, remote)) return false;
    circumstances.internal = mapping.internal;
    circumstances.internal_interface = mapping.internal_interface;
  }
  // The packets of such a half come through the first one, which is judged by itself.
  const bool is_follower = session.kind == SessionKind::hairpin_inner && mapping_index != kNone;
  if (is_follower) return true;
  Review found = review(*policy, session, sessions.detail(index), circumstances);
  if (!found.is_allowed) return false;
  if (found.decision.outcome == Outcome::forward) session.side[1] = found.decision.out;
  session.rule = found.decision.rule;
  return true;
}

// C01: a TCP connection cannot be begun again, so it waits until the policy is settled. But what
// nobody may use must leave room for what is new: half of the tables at least.
bool Pipeline::State::may_be_held(const Session& session) const {
  return policy->is_on_trial && session.key[0].protocol == protocol::tcp &&
         sessions.size() <= sessions.capacity() / 2 && mappings.size() <= mappings.capacity() / 2;
}

Judgement Pipeline::State::judge_again(uint32_t index) {
  Session& session = sessions.at(index);
  if (is_still_allowed(index)) {
    session.generation = policy->generation;
    return Judgement::allowed;
  }
  if (may_be_held(session)) return Judgement::held;
  report_end(session);
  shared.counters->sessions_ended_by_policy.add(1);
  end_session(index, FlowEnd::forced);
  return Judgement::ended;
}

void Pipeline::State::release_mapping(uint32_t index) {
  Mapping& mapping = mappings.at(index);
  if (--mapping.sessions > 0) return;
  if (tells_mappings()) tell_mapping(mapping, FlowEvent::mapping_end);
  ports.release(mapping.protocol, mapping.external.address, mapping.external.port);
  mappings.erase(index);
}

void Pipeline::State::end_session(uint32_t index, FlowEnd why) {
  const uint32_t mapping = sessions.detail(index).mapping;
  if (mapping != kNone) mappings.look_ahead_erase(mapping);
  note_remote(index, false);
  if (tells_flows()) tell_session_end(index, why);
  sessions.erase(index);
  if (mapping != kNone) release_mapping(mapping);
}

void Pipeline::State::expire() {
  has_more_to_expire = false;
  for (unsigned i = 0; i < kExpirationsPerBurst; ++i) {
    uint32_t index = sessions.next_expired(now, policy->timeouts);
    if (index == kNone) return;
    const uint32_t mapping = sessions.look_ahead_after(index);
    if (mapping != kNone) mappings.look_ahead(mapping);
    end_session(index);
    shared.counters->sessions_expired.add(1);
  }
  has_more_to_expire = true;
}

// Quiet sessions are judged within a second of a new policy, a slice of the table each turn.
void Pipeline::State::sweep() {
  if (swept_generation == policy->generation) return;
  if (sweeping_generation != policy->generation) {
    sweeping_generation = policy->generation;
    sweep_at = 0;
  }
  unsigned judged = 0;
  for (uint32_t seen = 0; seen < kSlotsPerSweep && judged < kRejudgedPerTurn; ++seen) {
    if (sweep_at >= sessions.capacity()) {
      swept_generation = policy->generation;
      return;
    }
    uint32_t index = sweep_at++;
    const Session& session = sessions.at(index);
    if (!session.in_use || session.generation == policy->generation) continue;
    judge_again(index);
    ++judged;
  }
}

// Takes over who is logged in by now, before anything of this turn asks for it.
void Pipeline::State::follow_identities() {
  if (shared.identities == nullptr) return;
  const Identities* latest = shared.identities->acquire();
  if (latest == identities) return;
  identities = latest;
  shared.identities->finished(settings.worker, latest->generation);
}

// F27: sessions of hosts where somebody logged in or out are judged within a second, a slice of the
// table each turn. A sweep comes to its end before the next begins, whatever happens meanwhile.
// Sessions that this policy has not judged yet are left to sweep(); among them those that a policy
// on trial holds, of which nothing passes.
void Pipeline::State::sweep_identities() {
  if (identities == nullptr || judged_identities == identities->generation) return;
  if (identities_sweep_to == judged_identities) {
    if (!policy->rules.asks_users()) {
      judged_identities = identities_sweep_to = identities->generation;
      return;
    }
    identities_sweep_to = identities->generation;
    identities_sweep_at = 0;
  }
  std::span<const Identities::Change> changes;
  const bool may_be_any = !identities->changes_after(judged_identities, changes);
  unsigned judged = 0;
  for (uint32_t seen = 0; seen < kSlotsPerSweep && judged < kRejudgedPerTurn; ++seen) {
    if (identities_sweep_at >= sessions.capacity()) {
      judged_identities = identities_sweep_to;
      return;
    }
    const uint32_t index = identities_sweep_at++;
    const Session& session = sessions.at(index);
    if (!session.in_use || session.generation != policy->generation) continue;
    auto change = std::find_if(changes.begin(), changes.end(),
                               [&](const auto& each) { return is_of(session, each.address); });
    if (change == changes.end() && !may_be_any) continue;
    ++judged;
    if (is_still_allowed(index)) continue;
    if (change != changes.end()) left_user = change->was;
    report_end(session);
    left_user = 0;
    shared.counters->sessions_ended_by_logout.add(1);
    end_session(index, FlowEnd::forced);
  }
}

// When the hosts of users were last seen: for those that are logged out when they are quiet.
void Pipeline::State::note_seen() {
  if (identities == nullptr || !identities->watches()) return;
  if (now - seen_noted_at < kSeenPeriod) return;
  seen_noted_at = now;
  const uint32_t slice = sessions.capacity() / kSeenSlices + 1;
  for (uint32_t i = 0; i < slice; ++i) {
    if (seen_noted_slot >= sessions.capacity()) seen_noted_slot = 0;
    const Session& session = sessions.at(seen_noted_slot++);
    if (!session.in_use) continue;
    for (const FlowKey& key : session.key) {
      const uint32_t host = identities->index_of(Ipv4Address(key.source));
      if (host == Identities::kNobody) continue;
      identities->note_seen(settings.worker, host, session.last_seen);
    }
  }
}

}  // namespace postern
