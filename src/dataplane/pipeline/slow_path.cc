// SPDX-License-Identifier: BSD-3-Clause
// First packets: decided by the policy, then a session that carries the decision.
#include "dataplane/pipeline/state.h"
#include "dataplane/wire/headers.h"

namespace postern {
namespace {

FlowKey remote_key(Endpoint external, uint8_t protocol, Ipv4Address remote) {
  return FlowKey{remote.wire(), external.address.wire(), be16(0), be16(external.port),
                 protocol,      KeySpace::flow,          0};
}

Endpoint remote_of(const FlowKey& inbound) {
  return {Ipv4Address(inbound.source), inbound.source_port.value()};
}

}  // namespace

void Pipeline::State::first_packet(Packet& packet) {
  FirstPacket first = first_of(packet, packet.from_host ? kGateway : packet.ingress);
  first.identities = identities;
  if (packet.rounds > 0) return first_from_hairpin(packet, first);
  const auto* external = policy->nat.find_external_address(Ipv4Address(packet.key.destination));
  bool may_be_mapped = external != nullptr && external->dynamic && packet.ingress == external->on &&
                       !packet.from_host && has_identifier(packet.key.protocol);
  if (may_be_mapped) {
    Endpoint to{external->address, packet.key.destination_port.value()};
    bool is_configured = policy->nat.find_destination(packet.key.protocol, to.address, to.port);
    uint32_t mapping = is_configured ? kNone : mappings.find_external(packet.key.protocol, to);
    if (mapping != kNone && !is_for_service(first, to)) {
      return first_through_mapping(packet, first, mapping);
    }
  }
  NextHits hits;
  Decision decision = decide(*policy, first, &hits);
  report(packet, decision, hits);
  act_on(packet, decision, SessionKind::plain, kNone);
}

// F37: a client may hold a number below the dynamic range, or one that was reserved only since. The
// service that the gateway has there, and that a rule permits, comes first.
bool Pipeline::State::is_for_service(const FirstPacket& first, Endpoint to) const {
  return !policy->nat.is_dynamic_port(to.port) && policy->is_own_address(to.address) &&
         decide(*policy, first, nullptr).outcome == Outcome::host;
}

// RFC4787-REQ9: the second half of a hairpin. The first half was judged by the filter.
void Pipeline::State::first_from_hairpin(Packet& packet, const FirstPacket& first) {
  Endpoint to{Ipv4Address(packet.key.destination), packet.key.destination_port.value()};
  if (policy->nat.find_destination(packet.key.protocol, to.address, to.port) != nullptr) {
    Decision decision = decide_hairpin_inner(*policy, first);
    return act_on(packet, decision, SessionKind::hairpin_inner, kNone);
  }
  uint32_t mapping = mappings.find_external(packet.key.protocol, to);
  if (mapping == kNone) return drop(packet, DropReason::no_mapping);
  follow_host(mappings.at(mapping));
  if (!admits(mappings.at(mapping), remote_of(packet.key))) {
    return drop(packet, DropReason::mapping_filtered);
  }
  Decision decision;
  const Route* route = policy->routes.find(mappings.at(mapping).internal.address);
  if (route == nullptr || route->interface == kGateway) return drop(packet, DropReason::no_route);
  decision.outcome = Outcome::forward;
  decision.out = route->interface;
  decision.next_hop = route->next_hop(mappings.at(mapping).internal.address);
  act_on(packet, decision, SessionKind::hairpin_inner, mapping);
}

void Pipeline::State::first_through_mapping(Packet& packet, const FirstPacket& first,
                                            uint32_t mapping) {
  Mapping& entry = mappings.at(mapping);
  follow_host(entry);
  if (!admits(entry, remote_of(packet.key))) {
    report_refused(packet, DropReason::mapping_filtered);
    return drop(packet, DropReason::mapping_filtered);
  }
  NextHits hits;
  Decision decision =
      decide_mapped_inbound(*policy, first, entry.internal, entry.internal_interface, &hits);
  report(packet, decision, hits);
  act_on(packet, decision, SessionKind::mapped_inbound, mapping);
}

// The filtering that the policy in force has for a mapping, whatever made it (C02): that of the
// source rule by which its host inside would send to `remote` through it.
FilteringBehavior Pipeline::State::filtering_of(const Mapping& mapping, Endpoint remote) const {
  constexpr FilteringBehavior kStrictest = FilteringBehavior::address_and_port_dependent;
  const NatPolicy& nat = policy->nat;
  const auto* external = nat.find_external_address(mapping.external.address);
  const bool is_of_gateway = nat.find_external_address(mapping.internal.address) != nullptr;
  if (external == nullptr || is_of_gateway) return kStrictest;
  if (nat.find_one_to_one(mapping.internal.address, external->on) != nullptr) return kStrictest;
  FlowQuery query;
  query.in = mapping.internal_interface;
  query.out = external->on;
  query.source = mapping.internal.address;
  query.destination = query.original_destination = remote.address;
  query.protocol = mapping.protocol;
  if (has_ports(mapping.protocol)) {
    query.source_port = mapping.internal.port;
    query.destination_port = remote.port;
  }
  const SourceRule* rule = nat.find_source_rule(query);
  if (rule == nullptr) return kStrictest;
  Ipv4Address address = nat.address_for(*rule, mapping.internal.address, external->on);
  return address == mapping.external.address ? rule->filtering : kStrictest;
}

// RFC4787-REQ8. Address-and-port-dependent filtering admits nobody new: who may answer has a
// session.
bool Pipeline::State::admits(const Mapping& mapping, Endpoint remote) const {
  switch (filtering_of(mapping, remote)) {
    case FilteringBehavior::endpoint_independent:
      return true;
    case FilteringBehavior::address_dependent:
      return admitted.find(remote_key(mapping.external, mapping.protocol, remote.address)) != kNone;
    case FilteringBehavior::address_and_port_dependent:
      return false;
  }
  return false;
}

// Counts the sessions of a mapping with one remote address (address-dependent filtering). When the
// table is full a remote is not admitted beyond its sessions.
void Pipeline::State::note_remote(uint32_t index, bool comes) {
  const Session& session = sessions.at(index);
  const uint32_t used = sessions.detail(index).mapping;
  if (used == kNone) return;
  const Mapping& mapping = mappings.at(used);
  if (mapping.filtering != FilteringBehavior::address_dependent) return;
  bool inbound = session.kind != SessionKind::plain;
  Ipv4Address remote(inbound ? session.key[0].source : session.key[1].source);
  FlowKey key = remote_key(mapping.external, mapping.protocol, remote);
  uint32_t known = admitted.find(key);
  uint32_t sessions_now = (known == kNone ? 0 : known) + (comes ? 1u : 0u);
  if (known != kNone) admitted.erase(key);
  if (!comes && sessions_now > 0) --sessions_now;
  if (sessions_now > 0) admitted.insert(key, sessions_now);
}

void Pipeline::State::act_on(Packet& packet, const Decision& decision, SessionKind kind,
                             uint32_t mapping) {
  switch (decision.outcome) {
    case Outcome::drop:
      if (decision.reason == DropReason::no_route && decision.query.in != kNoInterface &&
          packet.rounds == 0 &&
          (packet.from_host || interface(packet.ingress).zone != Zone::external)) {
        return error(packet, DropReason::no_route, icmp_type::unreachable, unreachable_code::net,
                     0);
      }
      return drop(packet, decision.reason, decision.rule);
    case Outcome::deny:
      return deny(packet, decision.reason, decision.rule);
    case Outcome::host_broadcast:
      count_rule(decision.rule, packet, 1);
      return to_gateway(packet);
    case Outcome::forward:
    case Outcome::host:
    case Outcome::hairpin:
      break;
  }
  // F19: a forged segment or reply does not become a session because a rule would permit it.
  if (!may_open(first_of(packet, packet.ingress))) return drop(packet, DropReason::no_session);
  if (decision.outcome == Outcome::forward && !prepare_to_leave(packet, decision.out)) return;
  if (decision.outcome == Outcome::hairpin && !has_time_left(packet)) return;
  open_session(packet, decision, kind, mapping);
}

// The dynamic mapping for the packet's source, found or made. kNone: `reason` says why not.
uint32_t Pipeline::State::obtain_mapping(const Packet& packet, const Decision& decision,
                                         DropReason& reason) {
  const uint8_t proto = packet.key.protocol;
  Endpoint internal{Ipv4Address(packet.key.source), packet.key.source_port.value()};
  Endpoint remote{Ipv4Address(packet.key.destination), packet.key.destination_port.value()};
  const SourceRule* rule = decision.source_rule;
  MappingBehavior behavior =
      rule != nullptr ? rule->mapping : MappingBehavior::endpoint_independent;
  const MappingTable::Found found =
      mappings.look_up_internal(proto, internal, remote, decision.external_address, behavior);
  const InterfaceId came_in = packet.from_host ? kGateway : packet.ingress;
  if (found.mapping != kNone) {
    mappings.at(found.mapping).internal_interface = came_in;
    return found.mapping;
  }
  auto port =
      ports.allocate(proto, decision.external_address, internal.port, policy->nat.ports_left_out());
  if (!port) {
    reason = DropReason::no_external_port;
    return kNone;
  }
  // What the mapping and its session will touch, all at once.
  mappings.look_ahead_external(proto, Endpoint{decision.external_address, *port});
  sessions.look_ahead_answer(packet.key, Endpoint{decision.external_address, *port});
  Mapping mapping;
  mapping.internal = internal;
  mapping.external = Endpoint{decision.external_address, *port};
  if (behavior != MappingBehavior::endpoint_independent) mapping.remote.address = remote.address;
  if (behavior == MappingBehavior::address_and_port_dependent) mapping.remote.port = remote.port;
  mapping.protocol = proto;
  mapping.behavior = behavior;
  if (rule != nullptr) mapping.filtering = rule->filtering;
  mapping.internal_interface = came_in;
  mapping.external_interface = decision.out;
  mapping.created = now;
  const uint32_t index = mappings.create(mapping, found);
  if (index == kNone) {
    ports.release(proto, decision.external_address, *port);
    reason = DropReason::mapping_table_full;
  } else if (tells_mappings()) {
    tell_mapping(mapping, FlowEvent::mapping_begin);
  }
  return index;
}

// Inserts, giving up the cheapest sessions when a table is full (P05: never an established one).
// One that goes makes room for a session, but for a host only where it was the last one of that
// host.
DropReason Pipeline::State::insert(const WholeSession& session, uint32_t& index) {
  auto is_full = [](DropReason reason) {
    return reason == DropReason::session_table_full || reason == DropReason::host_table_full;
  };
  SessionTable::Inserted inserted = sessions.insert(session, now);
  for (unsigned i = 0; i < kGivenUpForOne && is_full(inserted.reason); ++i) {
    uint32_t victim = sessions.victim();
    if (victim == kNone) return inserted.reason;
    end_session(victim, FlowEnd::resources);
    shared.counters->sessions_evicted.add(1);
    inserted = sessions.insert(session, now);
  }
  index = inserted.index;
  return inserted.reason;
}

void Pipeline::State::open_session(Packet& packet, const Decision& decision, SessionKind kind,
                                   uint32_t mapping) {
  FlowKey leaving = packet.key;
  const bool inbound = kind != SessionKind::plain && mapping != kNone;
  if (inbound) {
    leaving.destination = mappings.at(mapping).internal.address.wire();
    leaving.destination_port = be16(mappings.at(mapping).internal.port);
  } else if (decision.destination != nullptr && decision.outcome != Outcome::hairpin) {
    Endpoint inside = decision.destination->internal_endpoint(packet.key.destination_port.value());
    leaving.destination = inside.address.wire();
    if (has_ports(packet.key.protocol)) leaving.destination_port = be16(inside.port);
  }
  if (decision.source_nat != SourceNatKind::none) {
    leaving.source = decision.external_address.wire();
  }
  if (decision.source_nat == SourceNatKind::dynamic && has_identifier(packet.key.protocol)) {
    DropReason reason = DropReason::none;
    mapping = obtain_mapping(packet, decision, reason);
    if (mapping == kNone) {
      tell_exhausted(packet, decision, reason);
      return drop(packet, reason);
    }
    leaving.source_port = be16(mappings.at(mapping).external.port);
  }
  WholeSession whole;
  Session& session = whole.session;
  session.key[0] = packet.key;
  session.key[1] = leaving.reversed();
  const Rewrite rewrite = make_rewrite(packet.key, leaving);
  session.ip_delta = rewrite.ip_delta;
  session.transport_delta = rewrite.transport_delta;
  session.generation = policy->generation;
  session.rule = decision.rule;
  whole.detail.icmp_type = packet.icmp_type;
  whole.detail.icmp_code = packet.icmp_code;
  const bool to_host = decision.outcome == Outcome::host;
  const bool round = decision.outcome == Outcome::hairpin;
  session.side[0] = ingress_of(packet);
  session.side[1] = to_host ? kGateway : round ? kRecirculate : decision.out;
  session.kind = kind;
  whole.detail.mapping = mapping;
  if (packet.key.protocol == protocol::tcp) {
    session.tcp = advance(TcpState::none, packet.tcp_flags, Direction::original);
  }
  session.timeout = timeout_class_of(packet.key.protocol, session.tcp);

  uint32_t index = kNone;
  if (mapping != kNone) ++mappings.at(mapping).sessions;  // held while insert() may end others
  DropReason reason = insert(whole, index);
  if (reason != DropReason::none) {
    if (mapping != kNone) release_mapping(mapping);
    tell_exhausted(packet, decision, reason);
    return drop(packet, reason);
  }
  shared.counters->sessions_created.add(1);
  note_remote(index, true);
  if (tells_flows()) tell_session_begin(index);
  count(index, Direction::original, packet);
  report_translation(packet, decision, session);
  trace(packet, session, SessionUse::opened);
  apply(rewrite, packet);
  if (to_host) return to_gateway(packet);
  if (round) return go_round(packet);
  clamp(packet, decision.out);
  leave(packet, decision.out, decision.next_hop);
}

}  // namespace postern
