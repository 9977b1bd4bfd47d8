// SPDX-License-Identifier: BSD-3-Clause
// Sessions under a new policy (C02) and at the end of their time.
#include "dataplane/pipeline/owner.h"
#include "dataplane/pipeline/state.h"

namespace postern {
namespace {

constexpr uint32_t kSlotsPerSweep = 1024;  // slots looked at in one turn while a policy is new

FirstPacket first_again(const Session& session, const SessionDetail& detail) {
  FirstPacket first;
  first.in = session.ingress(Direction::original);
  first.key = session.key[0];
  first.tcp_flags = session.key[0].protocol == protocol::tcp ? tcp_flag::syn : uint8_t{0};
  first.icmp_type = detail.icmp_type;
  first.icmp_code = detail.icmp_code;
  return first;
}

// Whether a decision made now leads where the session does: to the gateway, round again, or out by
// a port, whichever that is by now.
bool leads_there(const Decision& decision, const Session& session) {
  const InterfaceId egress = decision.outcome == Outcome::host      ? kGateway
                             : decision.outcome == Outcome::hairpin ? kRecirculate
                                                                    : decision.out;
  const InterfaceId before = session.egress(Direction::original);
  return egress < kRecirculate ? before < kRecirculate : egress == before;
}

// Whether it leads to the translation that the session has.
bool leads_to_same(const Decision& decision, const Session& session, uint32_t mapping) {
  Ipv4Address source = decision.source_nat == SourceNatKind::none
                           ? Ipv4Address(session.key[0].source)
                           : decision.external_address;
  bool is_dynamic =
      decision.source_nat == SourceNatKind::dynamic && has_identifier(session.key[0].protocol);
  Ipv4Address destination = decision.outcome == Outcome::hairpin
                                ? decision.query.original_destination
                                : decision.query.destination;
  uint16_t port = session.key[0].destination_port.value();
  if (has_ports(session.key[0].protocol) && decision.outcome != Outcome::hairpin) {
    port = decision.query.destination_port;
  }
  return leads_there(decision, session) && is_dynamic == (mapping != kNone) &&
         session.key[1].destination == source.wire() &&
         session.key[1].source == destination.wire() && session.key[1].source_port.value() == port;
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
  FirstPacket first = first_again(session, sessions.detail(index));
  if (first.in < kRecirculate &&
      (first.in >= policy->interfaces.size() || !interface(first.in).exists)) {
    return false;
  }
  if (!is_still_ours(session)) return false;
  // What the gateway sent from an address that it has no more, of a lease or a file.
  if (first.in == kGateway && !policy->is_own_address(Ipv4Address(first.key.source))) return false;
  Decision decision;
  switch (session.kind) {
    case SessionKind::plain:
      decision = decide(*policy, first, nullptr);
      if (decision.outcome != Outcome::forward && decision.outcome != Outcome::host &&
          decision.outcome != Outcome::hairpin) {
        return false;
      }
      if (!leads_to_same(decision, session, mapping_index)) return false;
      break;
    case SessionKind::mapped_inbound: {
      Mapping& mapping = mappings.at(mapping_index);
      follow_host(mapping);
      Endpoint remote{Ipv4Address(first.key.source), first.key.source_port.value()};
      if (!admits(mapping, remote)) return false;
      decision = decide_mapped_inbound(*policy, first, mapping.internal, mapping.internal_interface,
                                       nullptr);
      if (decision.outcome != Outcome::forward && decision.outcome != Outcome::host) return false;
      if (!leads_there(decision, session)) return false;
      break;
    }
    case SessionKind::hairpin_inner:
      // Its packets come through the first half, which is judged by itself.
      if (mapping_index != kNone) return true;
      decision = decide_hairpin_inner(*policy, first);
      if (decision.outcome == Outcome::drop || !leads_to_same(decision, session, mapping_index))
        return false;
      break;
  }
  if (decision.outcome == Outcome::forward) session.side[1] = decision.out;
  session.rule = decision.rule;
  return true;
}

bool Pipeline::State::judge_again(uint32_t index) {
  Session& session = sessions.at(index);
  if (is_still_allowed(index)) {
    session.generation = policy->generation;
    return true;
  }
  report_end(session);
  shared.counters->sessions_ended_by_policy.add(1);
  end_session(index);
  return false;
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
