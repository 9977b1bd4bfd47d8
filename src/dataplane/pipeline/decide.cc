// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/pipeline/decide.h"

#include <utility>

namespace postern {
namespace {

// Decisions are made in their place, never copied: what is written in small parts and read at once
// in wide ones waits for its stores.
void set_query(FlowQuery& query, const FirstPacket& packet) {
  query.in = packet.in;
  query.source = Ipv4Address(packet.key.source);
  query.destination = query.original_destination = Ipv4Address(packet.key.destination);
  if (has_ports(packet.key.protocol)) {
    query.source_port = packet.key.source_port.value();
    query.destination_port = packet.key.destination_port.value();
  }
  query.protocol = packet.key.protocol;
  query.tcp_flags = packet.tcp_flags;
  query.icmp_type = packet.icmp_type;
  query.icmp_code = packet.icmp_code;
  query.established = packet.key.protocol == protocol::tcp &&
                      (packet.tcp_flags & (tcp_flag::syn | tcp_flag::ack)) != tcp_flag::syn;
}

void refuse(Decision& decision, DropReason reason) {
  decision.outcome = Outcome::drop;
  decision.reason = reason;
}

bool is_outside(const Policy& policy, InterfaceId in) {
  return in < policy.interfaces.size() && policy.interfaces[in].zone == Zone::external;
}

// Asks the ordered rules about decision.query. False: refused, and the decision says how.
bool passes_filter(const Policy& policy, const FirstPacket& packet, NextHits* hits,
                   Decision& decision) {
  const Ruleset& rules = policy.rules;
  decision.filtered = true;
  if (rules.asks_users() && packet.identities != nullptr) {
    decision.query.who = packet.identities->find(decision.query.source);
  }
  uint16_t index = rules.find_first(decision.query);
  while (index != kNoRule && rules.at(index).action == Action::next) {
    if (hits != nullptr && hits->count < kNextRulesMax) hits->rules[hits->count++] = index;
    index = rules.find_first(decision.query, static_cast<uint16_t>(index + 1));
  }
  decision.rule = index;
  Action action = index == kNoRule ? rules.default_action() : rules.at(index).action;
  switch (action) {
    case Action::permit:
      return true;
    case Action::deny:
      decision.outcome = Outcome::deny;
      decision.reason = DropReason::filter_deny;
      return false;
    case Action::drop:
    case Action::next:
      break;
  }
  decision.outcome = Outcome::drop;
  decision.reason = index != kNoRule                      ? DropReason::filter_drop
                    : rules.posture() == Posture::cut_off ? DropReason::posture_cut_off
                                                          : DropReason::filter_default;
  return false;
}

// What the destination of a first packet is, before anything is asked.
struct Destination {
  const ConfiguredMapping* mapping = nullptr;
  const NatPolicy::ExternalAddress* external = nullptr;
  bool hairpin = false;  // from inside to an external endpoint
  bool nobody = false;   // an external address without a mapping for it
};

Destination find_destination(const Policy& policy, const FirstPacket& packet) {
  Destination result;
  Ipv4Address address(packet.key.destination);
  result.external = policy.nat.find_external_address(address);
  if (result.external == nullptr) return result;
  bool from_inside =
      packet.in != kGateway && packet.in != result.external->on && !is_outside(policy, packet.in);
  bool on_its_port = packet.in == result.external->on;
  uint16_t port = packet.key.destination_port.value();
  const ConfiguredMapping* mapping =
      policy.nat.find_destination(packet.key.protocol, address, port);
  if (mapping != nullptr && (on_its_port || packet.in == kGateway || policy.nat.hairpin)) {
    result.mapping = mapping;
    result.hairpin = from_inside && !mapping->to_gateway;
    return result;
  }
  bool may_be_dynamic = from_inside && policy.nat.hairpin && result.external->dynamic &&
                        has_identifier(packet.key.protocol) && policy.nat.is_dynamic_port(port);
  result.hairpin = may_be_dynamic;
  result.nobody = !may_be_dynamic && !policy.is_own_address(address);
  return result;
}

void choose_dynamic(Decision& decision, const SourceRule* rule, Ipv4Address external) {
  decision.source_nat = SourceNatKind::dynamic;
  decision.source_rule = rule;
  decision.external_address = external;
}

// Source NAT of a permitted packet towards `out` (F06, F08, F09).
void choose_source_nat(const Policy& policy, InterfaceId out, Decision& decision) {
  const FlowQuery& query = decision.query;
  if (query.in == kGateway) {
    // The gateway's own packets share their address with dynamic mappings: its ports must not
    // collide.
    const auto* own = policy.nat.find_external_address(query.source);
    if (own != nullptr) {
      if (own->dynamic && has_identifier(query.protocol)) {
        choose_dynamic(decision, nullptr, query.source);
      }
      return;
    }
  }
  if (const auto* mapping = policy.nat.find_one_to_one(query.source, out)) {
    decision.source_nat = SourceNatKind::one_to_one;
    decision.source_one_to_one = mapping;
    decision.external_address = mapping->external;
    return;
  }
  const SourceRule* rule = nullptr;
  if (query.out == out) {
    rule = policy.nat.find_source_rule(query);
  } else {
    FlowQuery leaving = query;
    leaving.out = out;
    rule = policy.nat.find_source_rule(leaving);
  }
  if (rule == nullptr) return;
  decision.source_rule = rule;
  if (rule->action == SourceAction::none) return;
  Ipv4Address external = policy.nat.address_for(*rule, query.source, out);
  if (!external.is_unspecified()) choose_dynamic(decision, rule, external);
}

// F06, F07: whether what the destination sends to the packet's sender outside is translated. Then
// the sender may know it by a mapping only; an answer to its own address would carry that address
// out.
bool is_hidden_from_sender(const Policy& policy, const Decision& decision) {
  const FlowQuery& query = decision.query;
  if (!is_outside(policy, query.in) || is_outside(policy, decision.out)) return false;
  FlowQuery answer = query;
  answer.in = decision.out;
  answer.out = query.in;
  answer.source = query.destination;
  answer.destination = answer.original_destination = query.source;
  std::swap(answer.source_port, answer.destination_port);
  if (policy.nat.find_one_to_one(answer.source, answer.out) != nullptr) return true;
  const SourceRule* rule = policy.nat.find_source_rule(answer);
  return rule != nullptr && rule->action != SourceAction::none;
}

// Finds the way to decision.query.destination. False: there is none, and the decision says why.
bool find_way(const Policy& policy, Decision& decision) {
  const Route* route = policy.routes.find(decision.query.destination);
  if (route == nullptr) {
    decision.reason = DropReason::no_route;
    return false;
  }
  decision.query.out = decision.out = route->interface;
  decision.next_hop = route->next_hop(decision.query.destination);
  if (route->interface == kGateway) return true;
  if (!policy.interfaces[route->interface].exists) {
    decision.reason = DropReason::no_route;
    return false;
  }
  return true;
}

// Broadcast and multicast: for the gateway itself or for nobody (RFC 1812 5.3.4, RFC 2644).
void decide_broadcast(const Policy& policy, const FirstPacket& packet, NextHits* hits,
                      Decision& decision) {
  Ipv4Address to(packet.key.destination);
  bool here = packet.in != kGateway && (to.is_limited_broadcast() || to.is_multicast());
  if (!here && packet.in != kGateway) {
    for (const Prefix& prefix : policy.interfaces[packet.in].addresses) {
      here = here || prefix.is_directed_broadcast(to);
    }
  }
  if (!here) return refuse(decision, DropReason::broadcast_not_forwarded);
  decision.query.out = decision.out = kGateway;
  if (passes_filter(policy, packet, hits, decision)) decision.outcome = Outcome::host_broadcast;
}

// RFC 2131 clients have no address yet when they call everybody.
bool is_unconfigured_client(const FirstPacket& packet) {
  return packet.key.source.raw() == 0 && Ipv4Address(packet.key.destination).is_limited_broadcast();
}

// What a DHCP server says to an interface of ours that asks for its address: to everybody, or, as
// long as there is none, to the address that it offers (RFC 2131 4.1). There may be no route to the
// server yet. Both ports must be the protocol's, and an address of ours is never its source.
bool is_dhcp_answer(const Policy& policy, const FirstPacket& packet) {
  constexpr uint16_t kServer = 67, kClient = 68;
  if (packet.in >= policy.interfaces.size() || packet.key.protocol != protocol::udp) return false;
  const PolicyInterface& interface = policy.interfaces[packet.in];
  if (!interface.exists || !interface.asks_dhcp) return false;
  if (packet.key.source_port.value() != kServer) return false;
  if (packet.key.destination_port.value() != kClient) return false;
  Ipv4Address source(packet.key.source);
  if (policy.is_own_address(source) || policy.nat.find_external_address(source) != nullptr) {
    return false;
  }
  Ipv4Address destination(packet.key.destination);
  return destination.is_limited_broadcast() ||
         (interface.addresses.empty() && !packet.to_multicast_mac && !destination.is_multicast());
}

// It ends here whatever its destination is, as far as the filter lets it. Without a session: its
// source is anybody's word, and must neither fill the tables nor stand in the way of other flows.
void decide_dhcp_answer(const Policy& policy, const FirstPacket& packet, NextHits* hits,
                        Decision& decision) {
  decision.query.out = decision.out = kGateway;
  if (passes_filter(policy, packet, hits, decision)) decision.outcome = Outcome::host_broadcast;
}

// A hairpin's first half: permitted, now the source is translated as if the packet left by the
// external port.
void finish_hairpin(const Policy& policy, const Destination& destination, Decision& decision) {
  InterfaceId inside_out = decision.out;
  bool same_port = inside_out == decision.query.in;
  bool keep = destination.mapping != nullptr && destination.mapping->keep_source && !same_port;
  if (!keep) {
    FlowQuery seen = decision.query;
    decision.query.destination = decision.query.original_destination;
    choose_source_nat(policy, destination.external->on, decision);
    decision.query = seen;
  }
  decision.outcome =
      decision.source_nat == SourceNatKind::none ? Outcome::forward : Outcome::hairpin;
  if (decision.outcome == Outcome::forward && destination.mapping == nullptr) {
    refuse(decision, DropReason::no_mapping);
  }
}

// F56: the proxy answers in the place of the destination. When it does not listen the sender is
// told so: past it is no way.
void intercept(const Policy& policy, Decision& decision) {
  const bool is_served = policy.interception.is_served;
  decision.intercepted = true;
  decision.outcome = is_served ? Outcome::host : Outcome::deny;
  decision.reason = is_served ? DropReason::none : DropReason::http_proxy_down;
}

// Translates decision.query to what the packet aims at.
Destination translate_destination(const Policy& policy, const FirstPacket& packet,
                                  Decision& decision) {
  Destination destination = find_destination(policy, packet);
  if (destination.mapping == nullptr) return destination;
  FlowQuery& query = decision.query;
  Endpoint inside = destination.mapping->internal_endpoint(packet.key.destination_port.value());
  decision.destination = destination.mapping;
  query.translated = true;
  query.destination = inside.address;
  if (has_ports(query.protocol)) query.destination_port = inside.port;
  return destination;
}

void judge_first(const Policy& policy, const FirstPacket& packet, NextHits* hits,
                 Decision& decision) {
  set_query(decision.query, packet);
  FlowQuery& query = decision.query;
  if (is_dhcp_answer(policy, packet)) return decide_dhcp_answer(policy, packet, hits, decision);
  if (packet.in != kGateway && !is_unconfigured_client(packet) &&
      !policy.may_come_from(query.source, packet.in)) {
    return refuse(decision, DropReason::spoofed_source);
  }
  if (query.destination.is_multicast() || policy.is_local_broadcast(query.destination)) {
    return decide_broadcast(policy, packet, hits, decision);
  }
  if (packet.to_multicast_mac) return refuse(decision, DropReason::destination_address_bad);

  const Destination destination = translate_destination(policy, packet, decision);
  if (destination.nobody) {
    query.out = decision.out = kGateway;
  } else if (destination.hairpin && destination.mapping == nullptr) {
    query.out = decision.out = destination.external->on;
  } else if (!find_way(policy, decision)) {
    return;
  }

  if (!passes_filter(policy, packet, hits, decision)) return;
  if (destination.nobody) return refuse(decision, DropReason::no_mapping);
  if (destination.hairpin) return finish_hairpin(policy, destination, decision);
  if (decision.out == kGateway) {
    decision.outcome = Outcome::host;
    return;
  }
  if (destination.mapping == nullptr && is_hidden_from_sender(policy, decision)) {
    return refuse(decision, DropReason::hidden_host);
  }
  if (destination.external == nullptr && policy.interception.takes(query)) {
    return intercept(policy, decision);
  }
  decision.outcome = Outcome::forward;
  choose_source_nat(policy, decision.out, decision);
}

// The host inside that has a mapping.
struct Inside {
  Endpoint endpoint;
  InterfaceId interface;
};

void judge_mapped_inbound(const Policy& policy, const FirstPacket& packet, const Inside& inside,
                          NextHits* hits, Decision& decision) {
  FlowQuery& query = decision.query;
  set_query(query, packet);
  if (!policy.may_come_from(query.source, packet.in)) {
    return refuse(decision, DropReason::spoofed_source);
  }
  // RFC4787-REQ8: what the inside host may send to this remote, the remote may send through the
  // mapping.
  Endpoint remote{query.source, query.source_port};
  query.in = inside.interface;
  query.out = packet.in;
  query.source = inside.endpoint.address;
  query.source_port = has_ports(query.protocol) ? inside.endpoint.port : uint16_t{0};
  query.destination = query.original_destination = remote.address;
  query.destination_port = remote.port;
  query.established = false;
  if (!passes_filter(policy, packet, hits, decision)) return;
  const Route* route = policy.routes.find(inside.endpoint.address);
  if (route == nullptr) return refuse(decision, DropReason::no_route);
  decision.out = route->interface;
  decision.next_hop = route->next_hop(inside.endpoint.address);
  decision.outcome = route->interface == kGateway ? Outcome::host : Outcome::forward;
}

void judge_hairpin_inner(const Policy& policy, const FirstPacket& packet, Decision& decision) {
  set_query(decision.query, packet);
  const ConfiguredMapping* mapping =
      policy.nat.find_destination(packet.key.protocol, Ipv4Address(packet.key.destination),
                                  packet.key.destination_port.value());
  if (mapping == nullptr) return refuse(decision, DropReason::no_mapping);
  Endpoint inside = mapping->internal_endpoint(packet.key.destination_port.value());
  decision.destination = mapping;
  decision.query.destination = inside.address;
  if (has_ports(decision.query.protocol)) decision.query.destination_port = inside.port;
  if (!find_way(policy, decision)) return;
  decision.outcome = decision.out == kGateway ? Outcome::host : Outcome::forward;
}

}  // namespace

Decision decide(const Policy& policy, const FirstPacket& packet, NextHits* hits) {
  Decision decision;
  judge_first(policy, packet, hits, decision);
  return decision;
}

Decision decide_mapped_inbound(const Policy& policy, const FirstPacket& packet, Endpoint internal,
                               InterfaceId internal_interface, NextHits* hits) {
  Decision decision;
  judge_mapped_inbound(policy, packet, {internal, internal_interface}, hits, decision);
  return decision;
}

bool keeps_source(const Policy& policy, const FlowKey& key, InterfaceId in) {
  FirstPacket first;
  first.in = in;
  first.key = key;
  first.icmp_type = static_cast<uint8_t>(key.icmp_kind);
  Decision decision;
  set_query(decision.query, first);
  const Destination destination = translate_destination(policy, first, decision);
  if (!destination.hairpin || destination.mapping == nullptr) return false;
  if (!find_way(policy, decision)) return false;
  finish_hairpin(policy, destination, decision);
  return decision.outcome == Outcome::forward;
}

Decision decide_hairpin_inner(const Policy& policy, const FirstPacket& packet) {
  Decision decision;
  judge_hairpin_inner(policy, packet, decision);
  return decision;
}

}  // namespace postern
