// SPDX-License-Identifier: BSD-3-Clause
// The fast path: ordinary packets of sessions that nothing happens to, a burst at a time, so that
// no packet waits for memory alone.
//
//   glance  headers -> key and hash; the place in the index is asked for
//           index -> session, a guess; its line is asked for
//   pass    the session's line and the route say everything: rewrite and go
//
// Whatever is not ordinary (other protocols, fragments, SYN, a changed policy, an unknown neighbor,
// the gateway itself...) takes the long way, at its place in the burst; pass() has changed nothing
// then. The long way gives ordinary packets the same treatment, so the fast path may be left out.
#include <array>
#include <bit>
#include <cstring>

#include "dataplane/pipeline/state.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace postern {
namespace {

constexpr unsigned kL3 = sizeof(EthernetHeader), kL4 = kL3 + sizeof(Ipv4Header);
constexpr uint16_t kTtlDelta = difference(be16(0x0100), be16(0));

template <typename T>
T load(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

bool is_ordinary_udp(const uint8_t* l4, unsigned payload) {
  const unsigned length = udp_at(l4).length.value();
  return length >= sizeof(UdpHeader) && length <= payload;
}

bool is_ordinary_tcp(const uint8_t* l4, unsigned payload) {
  constexpr uint8_t kTelling = tcp_flag::syn | tcp_flag::fin | tcp_flag::rst | tcp_flag::ack;
  if (payload < sizeof(TcpHeader)) return false;
  const TcpHeader& tcp = tcp_at(l4);
  const unsigned header = tcp.header_bytes();
  return header >= sizeof(TcpHeader) && header <= payload &&
         (tcp.flags & kTelling) == tcp_flag::ack;
}

// Everything that parse() would check, but for what a session's key vouches for.
bool is_ordinary(const Packet& packet, const MacAddress& port_mac, Glimpse& seen) {
  if (packet.length < kL4 + sizeof(UdpHeader) || packet.from_host || packet.rounds != 0 ||
      packet.errand == Errand::fragment) {
    return false;
  }
  const uint8_t* frame = packet.frame;
  // EtherType IPv4, version 4, header without options.
  if ((load<uint32_t>(frame + 12) & 0x00FFFFFF) != 0x00450008) return false;
  if (ethernet_at(frame).destination != port_mac) return false;
  const Ipv4Header& ip = ipv4_at(frame + kL3);
  const unsigned total = ip.total_length.value();
  if (total < sizeof(Ipv4Header) + sizeof(UdpHeader) || kL3 + total > packet.length) return false;
  constexpr be16 kPieces(0x3FFF);  // more fragments, offset
  if ((ip.flags_and_offset.raw() & kPieces.raw()) != 0 || ip.ttl <= 1) return false;
  if (sum_of_20(frame + kL3) != 0xFFFF) return false;
  const unsigned payload = total - sizeof(Ipv4Header);
  const bool is_udp = ip.protocol == protocol::udp;
  if (!(is_udp ? is_ordinary_udp(frame + kL4, payload)
               : ip.protocol == protocol::tcp && is_ordinary_tcp(frame + kL4, payload))) {
    return false;
  }
  const auto addresses = load<uint64_t>(frame + kL3 + 12);
  const uint64_t others = load<uint32_t>(frame + kL4) | uint64_t{ip.protocol} << 32;
  seen.key = std::bit_cast<FlowKey>(std::array{addresses, others});
  seen.l3_length = static_cast<uint16_t>(total);
  return true;
}

void rewrite_transport(uint8_t* l4, uint8_t proto, uint16_t delta) {
  if (proto == protocol::tcp) {
    tcp_at(l4).checksum = updated(tcp_at(l4).checksum, delta);
    return;
  }
  // RFC 768: zero says that the sender made no checksum; a computed zero is sent as all ones.
  UdpHeader& udp = udp_at(l4);
  const be16 sum = updated(udp.checksum, delta);
  if (udp.checksum.raw() != 0) udp.checksum = sum.raw() == 0 ? be16(0xFFFF) : sum;
}

void rewrite(uint8_t* frame, const Session& session, Direction direction) {
  const Rewrite rewrite = session.rewrite(direction);
  Ipv4Header& ip = ipv4_at(frame + kL3);
  ip.ttl = static_cast<uint8_t>(ip.ttl - 1);
  ip.checksum = updated(ip.checksum, combine(rewrite.ip_delta, kTtlDelta));
  ip.source = rewrite.source;
  ip.destination = rewrite.destination;
  // TCP and UDP begin alike.
  UdpHeader& ports = udp_at(frame + kL4);
  ports.source_port = rewrite.source_port;
  ports.destination_port = rewrite.destination_port;
  rewrite_transport(frame + kL4, ip.protocol, rewrite.transport_delta);
}

}  // namespace

void Pipeline::State::glance(std::span<Packet> burst, std::span<Glimpse> seen) {
  for (size_t i = 0; i < burst.size(); ++i) {
    const InterfaceId in = burst[i].ingress;
    if (in >= policy->interfaces.size() || !interface(in).exists) continue;
    if (!is_ordinary(burst[i], interface(in).mac, seen[i])) continue;
    seen[i].hash = sessions.hash(seen[i].key);
    sessions.prefetch(seen[i].hash);
  }
  for (size_t i = 0; i < burst.size(); ++i) {
    if (seen[i].l3_length != 0) seen[i].session = sessions.guess(seen[i].hash);
  }
}

bool Pipeline::State::pass(Packet& packet, const Glimpse& seen) {
  if (seen.session == kNone) return false;
  const uint32_t index = SessionTable::index_of(seen.session);
  const Direction direction = SessionTable::direction_of(seen.session);
  Session& session = sessions.at(index);
  if (!(sessions.key_of(seen.session) == seen.key)) return false;
  if (session.generation != policy->generation || session.ingress(direction) != packet.ingress ||
      session.egress(direction) >= kRecirculate) {
    return false;
  }
  if (session.tcp != TcpState::none && session.tcp != TcpState::established) return false;
  const Ipv4Address to(session.rewrite(direction).destination);
  const Route* route = policy->routes.find(to);
  if (route == nullptr || route->interface >= kRecirculate) return false;
  if (seen.l3_length > interface(route->interface).mtu) return false;
  const Adjacent* next =
      find_adjacent(route->interface, route->via.is_unspecified() ? to : route->via);
  if (next == nullptr) return false;

  rewrite(packet.frame, session, direction);
  std::memcpy(packet.frame, next->macs, sizeof next->macs);
  session.last_seen = to_ticks(now);
  sessions.count(index, direction, seen.l3_length);
  RuleCounters& rule = rule_counters[session.rule == kNoRule ? policy->rules.size() : session.rule];
  rule.packets.add(1);
  rule.bytes.add(seen.l3_length);
  rule.last_hit_ns.set(static_cast<uint64_t>(now.ns));
  packet.length = static_cast<uint16_t>(kL3 + seen.l3_length);  // cuts off Ethernet padding
  packet.egress = route->interface;
  packet.needs_fragmentation = false;
  out->push(packet, postern::forward());
  return true;
}

const Adjacent* Pipeline::State::find_adjacent(InterfaceId out_id, Ipv4Address next_hop) {
  Adjacent& known = adjacent[(next_hop.number ^ out_id) % kAdjacentMax];
  if (known.next_hop == next_hop && known.out == out_id) [[likely]]
    return &known;
  MacAddress mac;
  if (!shared.neighbors->find(out_id, next_hop, mac)) return nullptr;
  known.next_hop = next_hop;
  known.out = out_id;
  std::memcpy(known.macs, mac.bytes.data(), 6);
  std::memcpy(known.macs + 6, interface(out_id).mac.bytes.data(), 6);
  return &known;
}

}  // namespace postern
