// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/pipeline/review.h"

namespace postern {
namespace {

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

// The interface that it came in by is there no more, or the gateway has its address no more (of a
// lease or a file).
bool is_cut_off(const Policy& policy, const FirstPacket& first) {
  if (first.in == kGateway) return !policy.is_own_address(Ipv4Address(first.key.source));
  if (first.in >= kRecirculate) return false;
  return first.in >= policy.interfaces.size() || !policy.interfaces[first.in].exists;
}

bool passes(Outcome outcome) {
  return outcome == Outcome::forward || outcome == Outcome::host || outcome == Outcome::hairpin;
}

}  // namespace

Review review(const Policy& policy, const Session& session, const SessionDetail& detail,
              const Circumstances& now) {
  FirstPacket first = first_again(session, detail);
  first.identities = now.identities;
  Review found;
  if (is_cut_off(policy, first)) return found;
  Decision& decision = found.decision;
  switch (session.kind) {
    case SessionKind::plain:
      decision = decide(policy, first, nullptr);
      found.is_allowed =
          passes(decision.outcome) && leads_to_same(decision, session, detail.mapping);
      break;
    case SessionKind::mapped_inbound:
      decision =
          decide_mapped_inbound(policy, first, now.internal, now.internal_interface, nullptr);
      found.is_allowed = passes(decision.outcome) && decision.outcome != Outcome::hairpin &&
                         leads_there(decision, session);
      break;
    case SessionKind::hairpin_inner:
      decision = decide_hairpin_inner(policy, first);
      found.is_allowed =
          decision.outcome != Outcome::drop && leads_to_same(decision, session, detail.mapping);
      break;
  }
  return found;
}

}  // namespace postern
