// SPDX-License-Identifier: BSD-3-Clause
// Sessions under a new policy (C02) and at the end of their time.
#include "dataplane/pipeline/owner.h"
#include "dataplane/pipeline/review.h"
#include "dataplane/pipeline/state.h"

namespace postern {
namespace {

constexpr uint32_t kSlotsPerSweep = 1024;  // slots looked at in one turn while a policy is new

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
  Endpoint internal;
  InterfaceId internal_interface = kNoInterface;
  if (session.kind == SessionKind::mapped_inbound) {
    Mapping& mapping = mappings.at(mapping_index);
    follow_host(mapping);
    Endpoint remote{Ipv4Address(session.key[0].source), session.key[0].source_port.value()};
    if (!admits(mapping, remote)) return false;
    internal = mapping.internal;
    internal_interface = mapping.internal_interface;
  }
  // The packets of such a half come through the first one, which is judged by itself.
  const bool is_follower = session.kind == SessionKind::hairpin_inner && mapping_index != kNone;
  if (is_follower) return true;
  Review found = review(*policy, session, sessions.detail(index), internal, internal_interface);
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
  end_session(index);
  return Judgement::ended;
}

void Pipeline::State::release_mapping(uint32_t index) {
  Mapping& mapping = mappings.at(index);
  if (--mapping.sessions > 0) return;
  ports.release(mapping.protocol, mapping.external.address, mapping.external.port);
  mappings.erase(index);
}

void Pipeline::State::end_session(uint32_t index) {
  const uint32_t mapping = sessions.detail(index).mapping;
  if (mapping != kNone) mappings.look_ahead_erase(mapping);
  note_remote(index, false);
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

}  // namespace postern
