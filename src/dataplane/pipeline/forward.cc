// SPDX-License-Identifier: BSD-3-Clause
// The last stages: TTL and MTU, then the wire, the host path or another round.
#include "dataplane/nat/rewrite.h"
#include "dataplane/pipeline/state.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace postern {
namespace {

constexpr uint8_t kRoundsMax = 2;

void decrement_ttl(Packet& packet) {
  Ipv4Header& header = ipv4_at(packet.l3());
  be16 before(static_cast<uint16_t>(header.ttl << 8 | header.protocol));
  header.ttl = static_cast<uint8_t>(header.ttl - 1);
  be16 after(static_cast<uint16_t>(header.ttl << 8 | header.protocol));
  header.checksum = updated(header.checksum, difference(before, after));
  packet.ttl = header.ttl;
}

}  // namespace

// The gateway's own packets start here with the TTL they shall have.
bool Pipeline::State::has_time_left(Packet& packet) {
  if (packet.from_host || packet.ttl > 1) return true;
  error(packet, DropReason::ttl_expired, icmp_type::time_exceeded, 0, 0);
  return false;
}

bool Pipeline::State::prepare_to_leave(Packet& packet, InterfaceId out_id) {
  if (!has_time_left(packet)) return false;
  uint16_t mtu = interface(out_id).mtu;
  if (packet.l3_length > mtu && packet.dont_fragment) {
    error(packet, DropReason::mtu_exceeded, icmp_type::unreachable,
          unreachable_code::fragmentation_needed, mtu);
    return false;
  }
  packet.needs_fragmentation = packet.l3_length > mtu;
  if (!packet.from_host) decrement_ttl(packet);
  return true;
}

void Pipeline::State::clamp(Packet& packet, InterfaceId out_id) {
  bool is_syn = packet.key.protocol == protocol::tcp && (packet.tcp_flags & tcp_flag::syn) != 0 &&
                !packet.is_later_fragment;
  if (!is_syn) return;
  uint16_t limit = interface(out_id).mss_max;
  uint16_t there = interface(packet.ingress).mss_max;
  if (limit == 0 || (there != 0 && there < limit)) limit = there;
  if (limit != 0) clamp_mss(packet, limit);
}

void Pipeline::State::leave(Packet& packet, InterfaceId out_id, Ipv4Address next_hop) {
  packet.egress = out_id;
  packet.next_hop = next_hop;
  EthernetHeader& ethernet = ethernet_at(packet.frame);
  ethernet.source = interface(out_id).mac;
  MacAddress mac;
  if (shared.neighbors->find(out_id, next_hop, mac)) {
    ethernet.destination = mac;
    return out->push(packet, postern::forward());
  }
  bool is_new = false;
  packet.held_under = policy->generation;
  if (!held.add(packet, now, is_new)) return drop(packet, DropReason::neighbor_queue_full);
  if (is_new) tell(ControlEvent{EventKind::resolve_neighbor, out_id, next_hop, MacAddress{}});
}

void Pipeline::State::to_gateway(Packet& packet) {
  packet.egress = packet.ingress;
  EthernetHeader& ethernet = ethernet_at(packet.frame);
  if (!packet.to_multicast_mac) ethernet.destination = interface(packet.ingress).mac;
  out->push(packet, to_host());
}

// RFC4787-REQ9: the packet comes back as if it had been sent by a host outside.
void Pipeline::State::go_round(Packet& packet) {
  if (++packet.rounds > kRoundsMax) return drop(packet, DropReason::hairpin_loop);
  shared.counters->hairpinned.add(1);
  packet.errand = Errand::none;
  steer(packet);
}

// Lets go what was held; nearly always nothing.
void Pipeline::State::release_held() {
  if (fragments.held() > 0) release_fragments();
  if (held.waiting() > 0) release_waiting();
}

// Followers of first fragments, and those that waited for theirs too long.
void Pipeline::State::release_fragments() {
  Packet released[kReleasedPerTurn];
  if (policy != nullptr) {
    size_t count = fragments.release(released);
    for (size_t i = 0; i < count; ++i)
      steer(out->keep(released[i]));
  }
  if (fragments.held() == 0) return;
  size_t count = fragments.expire(now, released);
  for (size_t i = 0; i < count; ++i)
    drop(out->keep(released[i]), DropReason::fragment_without_first);
}

// Packets whose next hop is known by now, and those that waited for it too long.
void Pipeline::State::release_waiting() {
  Packet released[kReleasedPerTurn];
  uint32_t version = shared.neighbors->version();
  if (version != neighbors_seen && policy != nullptr) {
    size_t count = held.release(*shared.neighbors, released);
    for (size_t i = 0; i < count; ++i)
      leave_at_last(out->keep(released[i]));
    if (count < kReleasedPerTurn / 2) neighbors_seen = version;
  }
  size_t expired = held.expire(now, released);
  for (size_t i = 0; i < expired; ++i)
    nobody_there(out->keep(released[i]));
}

// The next hop is known. C02: what waited while the policy changed leaves only as part of a session
// that the new one allows, and by the way that it knows; replies of our own are not worth the care.
void Pipeline::State::leave_at_last(Packet& packet) {
  if (packet.held_under == policy->generation) return out->push(packet, postern::forward());
  const uint32_t found = sessions.find(packet.key.reversed());
  const uint32_t index = SessionTable::index_of(found);
  if (found == kNone) return drop(packet, DropReason::session_ended);
  if (sessions.at(index).generation != policy->generation) {
    const Judgement judgement = judge_again(index);
    if (judgement != Judgement::allowed) return drop(packet, reason_of(judgement));
  }
  const Ipv4Address to(ipv4_at(packet.l3()).destination);
  const Route* route = policy->routes.find(to);
  if (route == nullptr || route->interface >= kRecirculate) {
    return drop(packet, DropReason::no_route);
  }
  packet.needs_fragmentation = packet.l3_length > interface(route->interface).mtu;
  if (packet.needs_fragmentation && packet.dont_fragment) {
    return drop(packet, DropReason::mtu_exceeded);
  }
  leave(packet, route->interface, route->next_hop(to));
}

}  // namespace postern
