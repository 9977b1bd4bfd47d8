// SPDX-License-Identifier: BSD-3-Clause
// What the gateway says itself on the packet path: ARP replies, ICMP errors, TCP resets.
#include "dataplane/nat/icmp_error.h"
#include "dataplane/packet/reply.h"
#include "dataplane/pipeline/state.h"
#include "dataplane/wire/headers.h"

namespace postern {

bool ReplyBudget::take(Instant now) {
  constexpr int64_t kCost = 1'000'000'000 / kRepliesPerSecond;
  constexpr int64_t kCreditMax = kCost * kRepliesBurst;
  credit_ns_ += (now - last_).ns;
  if (credit_ns_ > kCreditMax) credit_ns_ = kCreditMax;
  last_ = now;
  if (credit_ns_ < kCost) return false;
  credit_ns_ -= kCost;
  return true;
}

// RFC 826. Control keeps the table; here requests are answered and facts passed on.
void Pipeline::State::arp(Packet& packet) {
  const ArpPacket& arp = arp_at(packet.l3());
  const PolicyInterface& port = interface(packet.ingress);
  Ipv4Address sender(arp.sender);
  Ipv4Address target(arp.target);
  bool is_request = arp.operation.value() == 1;
  if (packet.from_host) {
    // The kernel asks for whatever it sends to; every answer is "here", the pipeline finds the way.
    if (!is_request || sender == target) return drop(packet, DropReason::arp_not_for_us);
    turn_into_arp_reply(packet, port.mac);
    packet.egress = packet.ingress;
    return out->push(packet, to_host());
  }
  bool is_ours = policy->answers_arp(target, packet.ingress);
  if (policy->answers_arp(sender, packet.ingress)) {
    if (arp.sender_mac != port.mac) {
      tell(ControlEvent{EventKind::address_conflict, packet.ingress, sender, arp.sender_mac});
    }
    return drop(packet, DropReason::arp_not_for_us);
  }
  // RFC 5227 2.1.1: answers to a probe go to nobody; owners announce their address; who probes the
  // same one wants it as well.
  const bool is_about_probe =
      is_request ? sender.is_unspecified() || sender == target : target.is_unspecified();
  if (port.asks_dhcp && port.addresses.empty() && is_about_probe) {
    const Ipv4Address claimed = is_request ? target : sender;
    tell(ControlEvent{EventKind::probe_answered, packet.ingress, claimed, arp.sender_mac});
  }
  bool on_link = false;
  for (const Prefix& prefix : port.addresses)
    on_link = on_link || prefix.contains(sender);
  bool useful = on_link && !arp.sender_mac.is_multicast() && !arp.sender_mac.is_zero();
  if (is_ours && useful) {
    tell(ControlEvent{EventKind::neighbor_seen, packet.ingress, sender, arp.sender_mac});
  }
  if (!is_ours || !is_request) return drop(packet, DropReason::arp_not_for_us);
  turn_into_arp_reply(packet, port.mac);
  packet.egress = packet.ingress;
  out->push(packet, postern::forward());
}

// RFC1122-3.2.2: nobody is told about a broadcast, whatever frame brought it.
bool Pipeline::State::may_answer(const Packet& packet) const {
  return packet.rounds == 0 && may_answer_with_error(packet) &&
         !policy->is_local_broadcast(Ipv4Address(packet.key.destination));
}

// Each side has its own, so that a refused flood from outside leaves hosts inside what path MTU
// discovery needs.
bool Pipeline::State::is_within_budget(const Packet& packet) {
  const bool is_outside = !packet.from_host && interface(packet.ingress).zone == Zone::external;
  if (replies[is_outside ? 1 : 0].take(now)) return true;
  shared.counters->replies_limited.add(1);
  return false;
}

// F20: a TCP SYN gets RST/ACK, everything else ICMP administratively prohibited by filter.
void Pipeline::State::deny(Packet& packet, DropReason reason, uint16_t rule) {
  denied_by = rule;
  bool is_syn =
      packet.key.protocol == protocol::tcp && !packet.is_later_fragment &&
      (packet.tcp_flags & (tcp_flag::syn | tcp_flag::rst | tcp_flag::ack)) == tcp_flag::syn;
  if (!is_syn || !may_answer(packet)) {
    error(packet, reason, icmp_type::unreachable, unreachable_code::admin_prohibited, 0);
  } else if (!is_within_budget(packet)) {
    drop(packet, reason, rule);
  } else {
    drop_answered(packet, reason);
    turn_into_tcp_reset(packet);
    send_back(packet);
  }
  denied_by = kNoRule;
}

// Drops the packet for `reason` and tells its sender, where that is allowed and within the budget.
void Pipeline::State::error(Packet& packet, DropReason reason, uint8_t type, uint8_t code,
                            uint16_t mtu) {
  if (!may_answer(packet)) return drop(packet, reason, denied_by);
  Ipv4Address source(packet.key.source);
  Ipv4Address from = policy->source_on(packet.ingress, source);
  if (from.is_unspecified()) return drop(packet, reason, denied_by);
  if (!is_within_budget(packet)) return drop(packet, reason, denied_by);
  drop_answered(packet, reason);
  turn_into_icmp_error(packet, type, code, mtu, from);
  send_back(packet);
}

// RFC1812-5.2.7.1: the next hop did not answer ARP. By now the packet is translated, and so the
// error about it is translated back like one that a host there would have sent. Outside nobody is
// told (F23, RFC5508-REQ9).
void Pipeline::State::nobody_there(Packet& packet) {
  const uint32_t found = packet.is_icmp_error ? kNone : sessions.find(packet.key.reversed());
  if (policy == nullptr || found == kNone || !may_answer(packet)) {
    return drop(packet, DropReason::neighbor_unresolved);
  }
  const Direction back = SessionTable::direction_of(found);
  const Session& session = sessions.at(SessionTable::index_of(found));
  const Rewrite rewrite = session.rewrite(back);
  const bool is_own = session.egress(back) == kGateway;
  const InterfaceId to = is_own ? packet.ingress : session.egress(back);
  const bool may_know = to < kRecirculate && (is_own || interface(to).zone != Zone::external);
  const Ipv4Address from =
      may_know ? policy->source_on(to, Ipv4Address(rewrite.destination)) : Ipv4Address();
  if (from.is_unspecified() || !replies[0].take(now)) {
    return drop(packet, DropReason::neighbor_unresolved);
  }
  drop_answered(packet, DropReason::neighbor_unresolved);
  turn_into_icmp_error(packet, icmp_type::unreachable, unreachable_code::host, 0, from);
  translate_error(packet, rewrite, false);
  packet.ingress = to;
  packet.from_host = is_own;
  send_back(packet);
}

// A reply made of the offending packet leaves by the port it came in.
void Pipeline::State::send_back(Packet& packet) {
  shared.counters->replies_sent.add(1);
  packet.needs_fragmentation = false;
  if (packet.from_host) {
    packet.from_host = false;
    ethernet_at(packet.frame).source = interface(packet.ingress).mac;
    return to_gateway(packet);
  }
  Ipv4Address to(ipv4_at(packet.l3()).destination);
  const Route* route = policy->routes.find(to);
  bool is_this_way = route != nullptr && route->interface == packet.ingress;
  leave(packet, packet.ingress, is_this_way ? route->next_hop(to) : to);
}

}  // namespace postern
