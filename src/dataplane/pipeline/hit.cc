// SPDX-License-Identifier: BSD-3-Clause
// Packets of a session that exists, and ICMP errors about one.
#include "dataplane/nat/icmp_error.h"
#include "dataplane/pipeline/state.h"
#include "dataplane/wire/headers.h"

namespace postern {

// A session's packets come in where they came in before; from another wire only when routing agrees
// (F26).
bool Pipeline::State::is_right_ingress(const Packet& packet, const Session& session,
                                       Direction direction) const {
  InterfaceId in = ingress_of(packet);
  InterfaceId expected = session.ingress(direction);
  if (in == expected) return true;
  if (in >= kRecirculate || expected >= kRecirculate) return false;
  return policy->may_come_from(Ipv4Address(packet.key.source), in);
}

void Pipeline::State::count(uint32_t index, Direction direction, const Packet& packet) {
  sessions.count(index, direction, packet.l3_length);
  const Session& session = sessions.at(index);
  // Of the two halves of a hairpin, the one that the filter judged counts.
  if (session.kind != SessionKind::hairpin_inner) count_rule(session.rule, packet, 1);
}

bool Pipeline::State::hit(Packet& packet, uint32_t found) {
  uint32_t index = SessionTable::index_of(found);
  Direction direction = SessionTable::direction_of(found);
  Session& session = sessions.at(index);
  if (session.generation != policy->generation) {
    const Judgement judgement = judge_again(index);
    if (judgement == Judgement::ended) return false;
    if (judgement == Judgement::held) {
      drop(packet, reason_of(judgement));
      return true;
    }
  }
  trace(packet, session,
        direction == Direction::original ? SessionUse::original : SessionUse::reply);
  if (!is_right_ingress(packet, session, direction)) {
    report_refused(packet, DropReason::spoofed_source);
    drop(packet, DropReason::spoofed_source);
    return true;
  }
  const InterfaceId egress = session.egress(direction);
  const Rewrite rewrite = session.rewrite(direction);
  const Route* route = nullptr;
  if (egress < kRecirculate) {
    route = policy->routes.find(Ipv4Address(rewrite.destination));
    if (route == nullptr || route->interface == kGateway) {
      drop(packet, DropReason::no_route);
      return true;
    }
    if (!prepare_to_leave(packet, route->interface)) return true;
  } else if (egress == kRecirculate && !has_time_left(packet)) {
    return true;
  }
  bool keeps_alive = true;
  if (packet.key.protocol == protocol::tcp && !packet.is_later_fragment) {
    // RFC7857-7.1: resets upon a reset are no sign of life.
    keeps_alive = session.tcp != TcpState::reset || (packet.tcp_flags & tcp_flag::rst) == 0;
    session.tcp = advance(session.tcp, packet.tcp_flags, direction);
  }
  if (keeps_alive) sessions.touch(index, now, timeout_class_of(packet.key.protocol, session.tcp));
  count(index, direction, packet);
  apply(rewrite, packet);
  if (route != nullptr) {
    clamp(packet, route->interface);
    leave(packet, route->interface, route->next_hop(Ipv4Address(packet.key.destination)));
  } else if (egress == kGateway) {
    to_gateway(packet);
  } else {
    go_round(packet);
  }
  return true;
}

// RFC5508-REQ4, REQ5: an error belongs to the session that its quoted packet belongs to. It neither
// refreshes nor ends it (REQ6).
void Pipeline::State::relay_error(Packet& packet) {
  // A redirect would have hosts talk past the translation; source quench is dead (RFC 6633).
  if (packet.icmp_type == icmp_type::redirect || packet.icmp_type == icmp_type::source_quench) {
    return drop(packet, DropReason::icmp_error_unrelated);
  }
  std::optional<FlowKey> quoted = quoted_key(packet);
  // An error goes to the sender of what it quotes, or it is forged.
  const bool is_to_sender = quoted && quoted->source == packet.key.destination;
  uint32_t found = is_to_sender ? sessions.find(quoted->reversed()) : kNone;
  if (found == kNone) return drop(packet, DropReason::icmp_error_unrelated);
  uint32_t index = SessionTable::index_of(found);
  if (sessions.at(index).generation != policy->generation) {
    const Judgement judgement = judge_again(index);
    if (judgement != Judgement::allowed) return drop(packet, reason_of(judgement));
  }
  const Session& session = sessions.at(index);
  const Direction direction = SessionTable::direction_of(found);
  trace(packet, session, SessionUse::related);
  // The sender may be any router on the way, but on the way: the address must belong behind this
  // port.
  InterfaceId in = ingress_of(packet);
  bool from_wire = in < kRecirculate;
  if (in != session.ingress(direction) ||
      (from_wire && !policy->may_come_from(Ipv4Address(packet.key.source), in))) {
    report_refused(packet, DropReason::spoofed_source);
    return drop(packet, DropReason::spoofed_source);
  }
  const Rewrite rewrite = session.rewrite(direction);
  const InterfaceId egress = session.egress(direction);
  // F07: where the session's sender is translated, so is the router that speaks about it.
  bool hides = rewrite.source != session.key[static_cast<int>(direction)].source;
  const Route* route = policy->routes.find(Ipv4Address(rewrite.destination));
  if (egress < kRecirculate) {
    if (route == nullptr || route->interface == kGateway) {
      return drop(packet, DropReason::no_route);
    }
    if (!prepare_to_leave(packet, route->interface)) return;
  }
  translate_error(packet, rewrite, hides);
  if (egress == kGateway) return to_gateway(packet);
  if (egress == kRecirculate) return go_round(packet);
  leave(packet, route->interface, route->next_hop(Ipv4Address(rewrite.destination)));
}

}  // namespace postern
