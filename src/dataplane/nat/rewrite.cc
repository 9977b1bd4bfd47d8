// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/rewrite.h"

#include "dataplane/packet/icmp_query.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace postern {
namespace {

// The identifier of an ICMP query, which stands in one port of its key while the other is zero.
be16 query_id(be16 source_port, be16 destination_port) {
  return be16::from_raw(source_port.raw() | destination_port.raw());
}

void rewrite_udp(const Rewrite& rewrite, UdpHeader& udp) {
  udp.source_port = rewrite.source_port;
  udp.destination_port = rewrite.destination_port;
  // RFC 768: zero says that the sender made no checksum; a computed zero is sent as all ones.
  if (udp.checksum.raw() == 0) return;
  be16 sum = updated(udp.checksum, rewrite.transport_delta);
  udp.checksum = sum.raw() == 0 ? be16(0xFFFF) : sum;
}

void rewrite_tcp(const Rewrite& rewrite, TcpHeader& tcp) {
  tcp.source_port = rewrite.source_port;
  tcp.destination_port = rewrite.destination_port;
  tcp.checksum = updated(tcp.checksum, rewrite.transport_delta);
}

// ICMP messages without an identifier have nothing to rewrite: their checksum has no pseudo header.
void rewrite_icmp(const Rewrite& rewrite, IcmpHeader& icmp) {
  if (!has_query_id(icmp.type)) return;
  icmp.identifier = query_id(rewrite.source_port, rewrite.destination_port);
  icmp.checksum = updated(icmp.checksum, rewrite.transport_delta);
}

constexpr uint8_t kOptionEnd = 0, kOptionNop = 1, kOptionMss = 2;

// Where the value of the MSS option (RFC 9293 3.2) lies in `tcp`, or 0.
unsigned find_mss(const uint8_t* tcp, unsigned header_bytes) {
  unsigned at = sizeof(TcpHeader);
  while (at < header_bytes && tcp[at] != kOptionEnd) {
    if (tcp[at] == kOptionNop) {
      ++at;
      continue;
    }
    if (at + 1 >= header_bytes) return 0;
    unsigned length = tcp[at + 1];
    if (length < 2 || at + length > header_bytes) return 0;
    if (tcp[at] == kOptionMss) return length == 4 ? at + 2 : 0;
    at += length;
  }
  return 0;
}

}  // namespace

Rewrite make_rewrite(const FlowKey& from, const FlowKey& to) {
  Rewrite rewrite{to.source, to.destination, to.source_port, to.destination_port, 0, 0};
  rewrite.ip_delta =
      combine(difference(from.source, to.source), difference(from.destination, to.destination));
  if (has_ports(from.protocol)) {
    uint16_t ports = combine(difference(from.source_port, to.source_port),
                             difference(from.destination_port, to.destination_port));
    rewrite.transport_delta = combine(rewrite.ip_delta, ports);
  } else if (from.protocol == protocol::icmp) {
    rewrite.transport_delta = difference(query_id(from.source_port, from.destination_port),
                                         query_id(to.source_port, to.destination_port));
  }
  return rewrite;
}

void apply(const Rewrite& rewrite, Packet& packet) {
  Ipv4Header& ip = ipv4_at(packet.l3());
  ip.source = rewrite.source;
  ip.destination = rewrite.destination;
  ip.checksum = updated(ip.checksum, rewrite.ip_delta);
  packet.key.source = rewrite.source;
  packet.key.destination = rewrite.destination;
  packet.key.source_port = rewrite.source_port;
  packet.key.destination_port = rewrite.destination_port;
  if (packet.is_later_fragment) return;
  switch (packet.key.protocol) {
    case protocol::tcp:
      return rewrite_tcp(rewrite, tcp_at(packet.l4()));
    case protocol::udp:
      return rewrite_udp(rewrite, udp_at(packet.l4()));
    case protocol::icmp:
      return rewrite_icmp(rewrite, icmp_at(packet.l4()));
    default:
      return;
  }
}

void clamp_mss(Packet& packet, uint16_t mss_max) {
  if (packet.key.protocol != protocol::tcp || packet.is_later_fragment) return;
  if ((packet.tcp_flags & tcp_flag::syn) == 0) return;
  uint8_t* bytes = packet.l4();
  unsigned available = packet.l3_offset + packet.l3_length - packet.l4_offset;
  TcpHeader& tcp = tcp_at(bytes);
  if (tcp.header_bytes() > available) return;
  unsigned at = find_mss(bytes, tcp.header_bytes());
  if (at == 0) return;
  uint16_t mss = static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]);
  if (mss <= mss_max) return;
  bytes[at] = static_cast<uint8_t>(mss_max >> 8);
  bytes[at + 1] = static_cast<uint8_t>(mss_max);
  uint16_t delta = difference(be16(mss), be16(mss_max));
  // At an odd offset the two bytes belong to two words of the sum, the other way round.
  if (at % 2 != 0) delta = __builtin_bswap16(delta);
  tcp.checksum = updated(tcp.checksum, delta);
}

}  // namespace postern
