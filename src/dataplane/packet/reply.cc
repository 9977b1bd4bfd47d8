// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/reply.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/limits.h"
#include "dataplane/packet/icmp_query.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace postern {
namespace {

constexpr uint8_t kReplyTtl = 64;         // RFC 1700, and what hosts expect of a router
constexpr uint8_t kErrorTos = 0xC0;       // RFC1812-4.3.2.5: precedence 6, internetwork control
constexpr unsigned kErrorBytesMax = 576;  // RFC1812-4.3.2.3
constexpr uint16_t kReserved = 0x8000, kDontFragment = 0x4000, kMoreFragments = 0x2000;
constexpr unsigned kErrorHeaders = sizeof(Ipv4Header) + sizeof(IcmpHeader);
static_assert(kErrorHeaders <= kHeadroomMin);

be16 inverted(uint16_t total) {
  return be16::from_raw(static_cast<uint16_t>(~total));
}

void seal_header(Ipv4Header& ip, const uint8_t* bytes) {
  ip.checksum = be16();
  ip.checksum = inverted(sum(bytes, ip.header_bytes()));
}

// Writes a header without options for an answer that begins at packet.l3(), and describes it in the
// packet as parse would.
void write_header(Packet& packet, Ipv4Address from, Ipv4Address to, uint8_t proto, unsigned total) {
  Ipv4Header& ip = ipv4_at(packet.l3());
  ip = Ipv4Header{};
  ip.version_and_length = 0x45;
  ip.total_length = be16(static_cast<uint16_t>(total));
  ip.ttl = kReplyTtl;
  ip.protocol = proto;
  ip.source = from.wire();
  ip.destination = to.wire();

  packet.kind = PacketKind::ipv4;
  packet.to_multicast_mac = packet.ports_recovered = packet.needs_fragmentation = false;
  packet.is_fragment = packet.is_later_fragment = packet.more_fragments = false;
  packet.is_icmp_error = packet.dont_fragment = false;
  packet.tcp_flags = packet.icmp_type = packet.icmp_code = 0;
  packet.fragment_offset = packet.identification = 0;
  packet.ttl = kReplyTtl;
  packet.l3_length = static_cast<uint16_t>(total);
  packet.l4_offset = static_cast<uint16_t>(packet.l3_offset + sizeof(Ipv4Header));
  packet.length = static_cast<uint16_t>(packet.l3_offset + total);
  packet.key = FlowKey{from.wire(), to.wire(), be16(), be16(), proto, KeySpace::flow, 0};
}

// Sum of the TCP pseudo header (RFC 9293 section 3.1).
uint32_t pseudo_sum(const FlowKey& key, unsigned length) {
  const uint32_t source = key.source.raw(), destination = key.destination.raw();
  return (source & 0xFFFF) + (source >> 16) + (destination & 0xFFFF) + (destination >> 16) +
         be16(key.protocol).raw() + be16(static_cast<uint16_t>(length)).raw();
}

// Options that go into every piece have the copy bit (RFC 791 section 3.1); parse has walked the
// list. Writes them to `out`, padded to whole words, and returns their bytes; with out nullptr only
// counts.
unsigned copied_options(const uint8_t* options, unsigned bytes, uint8_t* out) {
  constexpr uint8_t kEnd = 0, kNothing = 1, kCopyBit = 0x80;
  unsigned copied = 0;
  for (unsigned at = 0; at < bytes && options[at] != kEnd;) {
    const unsigned length = options[at] == kNothing ? 1 : options[at + 1];
    if ((options[at] & kCopyBit) != 0) {
      if (out != nullptr) std::memcpy(out + copied, options + at, length);
      copied += length;
    }
    at += length;
  }
  const unsigned padded = (copied + 3) & ~3u;
  if (out != nullptr) std::memset(out + copied, kEnd, padded - copied);
  return padded;
}

// How a datagram is cut: the first piece keeps the header, the others what is to be copied of it.
struct Cut {
  unsigned header, later_header;  // bytes
  unsigned payload;               // of the whole packet
  unsigned first_share, share;    // payload of the first piece, of each further one
};

Cut cut_of(const Packet& packet, unsigned mtu) {
  Cut cut;
  cut.header = packet.l4_offset - packet.l3_offset;
  cut.later_header = sizeof(Ipv4Header) + copied_options(packet.l3() + sizeof(Ipv4Header),
                                                         cut.header - sizeof(Ipv4Header), nullptr);
  cut.payload = packet.l3_length - cut.header;
  cut.first_share = (mtu - cut.header) & ~7u;
  cut.share = (mtu - cut.later_header) & ~7u;
  return cut;
}

}  // namespace

bool may_answer_with_error(const Packet& packet) {
  if (packet.kind != PacketKind::ipv4 || packet.is_icmp_error) return false;
  if (packet.is_later_fragment || packet.to_multicast_mac) return false;
  const Ipv4Address source(packet.key.source), destination(packet.key.destination);
  if (destination.is_multicast() || destination.is_limited_broadcast()) return false;
  // RFC1122-3.2.2: the source must be a single host.
  return !source.is_unspecified() && !source.is_loopback() && source.number >> 28 < 0xE;
}

void turn_into_icmp_error(Packet& packet, uint8_t type, uint8_t code, uint16_t mtu,
                          Ipv4Address from) {
  POSTERN_DCHECK(packet.kind == PacketKind::ipv4);
  const unsigned quoted = std::min<unsigned>(packet.l3_length, kErrorBytesMax - kErrorHeaders);
  const Ipv4Address to(packet.key.source);
  const uint16_t identification = packet.identification;

  // The quoted packet stays where it is; the new headers grow in front of it, into the headroom.
  std::memmove(packet.frame - kErrorHeaders, packet.frame, packet.l3_offset);
  packet.frame -= kErrorHeaders;
  write_header(packet, from, to, protocol::icmp, kErrorHeaders + quoted);
  Ipv4Header& ip = ipv4_at(packet.l3());
  ip.tos = kErrorTos;
  ip.identification = be16(identification);  // differs from error to error where the packets did
  seal_header(ip, packet.l3());
  packet.identification = identification;

  IcmpHeader& icmp = icmp_at(packet.l4());
  icmp = IcmpHeader{};
  icmp.type = type;
  icmp.code = code;
  icmp.sequence = be16(mtu);  // RFC1191-4: next-hop MTU, in the low half of the unused word
  icmp.checksum = inverted(sum(packet.l4(), sizeof(IcmpHeader) + quoted));
  packet.icmp_type = type;
  packet.icmp_code = code;
  packet.key.icmp_kind = icmp_kind_of(type);
  packet.is_icmp_error = true;
}

void turn_into_tcp_reset(Packet& packet) {
  POSTERN_DCHECK(packet.key.protocol == protocol::tcp && (packet.tcp_flags & tcp_flag::rst) == 0);
  const TcpHeader old = tcp_at(packet.l4());
  const unsigned headers = packet.l4_offset - packet.l3_offset + old.header_bytes();
  const unsigned text = packet.l3_length - headers;
  const Ipv4Address from(packet.key.destination), to(packet.key.source);

  constexpr unsigned kTotal = sizeof(Ipv4Header) + sizeof(TcpHeader);
  write_header(packet, from, to, protocol::tcp, kTotal);
  Ipv4Header& ip = ipv4_at(packet.l3());
  ip.flags_and_offset = be16(kDontFragment);
  seal_header(ip, packet.l3());
  packet.dont_fragment = true;

  TcpHeader& tcp = tcp_at(packet.l4());
  tcp = TcpHeader{};
  tcp.source_port = old.destination_port;
  tcp.destination_port = old.source_port;
  tcp.data_offset = sizeof(TcpHeader) / 4 << 4;
  tcp.flags = tcp_flag::rst;
  // RFC9293-3.10.7.1: the numbers that the sender of the offending segment will accept.
  if ((old.flags & tcp_flag::ack) != 0) {
    tcp.sequence = old.acknowledgment;
  } else {
    const unsigned syn = (old.flags & tcp_flag::syn) != 0, fin = (old.flags & tcp_flag::fin) != 0;
    tcp.flags |= tcp_flag::ack;
    tcp.acknowledgment = be32(old.sequence.value() + text + syn + fin);
  }
  packet.tcp_flags = tcp.flags;
  packet.key.source_port = tcp.source_port;
  packet.key.destination_port = tcp.destination_port;
  const uint32_t start = pseudo_sum(packet.key, sizeof(TcpHeader));
  tcp.checksum = inverted(sum(packet.l4(), sizeof(TcpHeader), start));
}

void turn_into_arp_reply(Packet& packet, const MacAddress& mac) {
  POSTERN_DCHECK(packet.kind == PacketKind::arp);
  ArpPacket& arp = arp_at(packet.l3());
  const be32 asked = arp.target;
  arp.operation = be16(2);
  arp.target_mac = arp.sender_mac;
  arp.target = arp.sender;
  arp.sender_mac = mac;
  arp.sender = asked;
  EthernetHeader& ethernet = ethernet_at(packet.frame);
  ethernet.destination = arp.target_mac;
  ethernet.source = mac;
  packet.key.source = arp.sender;
  packet.key.destination = arp.target;
  packet.to_multicast_mac = false;
}

void write_arp_request(uint8_t* out, const MacAddress& from_mac, Ipv4Address from,
                       Ipv4Address target, const MacAddress& target_mac) {
  std::memset(out, 0, kArpFrameBytes);
  EthernetHeader& ethernet = ethernet_at(out);
  ethernet.destination = target_mac;
  ethernet.source = from_mac;
  ethernet.type = be16(ethertype::arp);
  ArpPacket& arp = arp_at(out + sizeof(EthernetHeader));
  arp.hardware_type = be16(1);
  arp.protocol_type = be16(ethertype::ipv4);
  arp.hardware_length = 6;
  arp.protocol_length = 4;
  arp.operation = be16(1);
  arp.sender_mac = from_mac;
  arp.sender = from.wire();
  if (!target_mac.is_broadcast()) arp.target_mac = target_mac;  // else unknown: zero
  arp.target = target.wire();
}

unsigned fragments_needed(const Packet& packet, uint16_t mtu) {
  POSTERN_DCHECK(mtu >= kMtuMin);
  if (packet.l3_length <= mtu) return 1;
  const Cut cut = cut_of(packet, mtu);
  // The last piece need not be a multiple of eight: it may hold a little more than its share.
  const unsigned rest = cut.payload - cut.first_share;
  const unsigned last_max = mtu - cut.later_header;
  return rest <= last_max ? 2 : 2 + (rest - last_max + cut.share - 1) / cut.share;
}

uint16_t write_fragment(const Packet& packet, uint16_t mtu, unsigned index, uint8_t* out) {
  const unsigned pieces = fragments_needed(packet, mtu);
  POSTERN_DCHECK(index < pieces);
  if (pieces == 1) {
    std::memcpy(out, packet.frame, packet.l3_offset + packet.l3_length);
    return static_cast<uint16_t>(packet.l3_offset + packet.l3_length);
  }
  const Cut cut = cut_of(packet, mtu);
  const bool is_first = index == 0, is_last = index == pieces - 1;
  const unsigned start = is_first ? 0 : cut.first_share + (index - 1) * cut.share;
  const unsigned header = is_first ? cut.header : cut.later_header;
  const unsigned bytes = is_last ? cut.payload - start : is_first ? cut.first_share : cut.share;

  uint8_t* l3 = out + packet.l3_offset;
  std::memcpy(out, packet.frame, packet.l3_offset + (is_first ? header : sizeof(Ipv4Header)));
  if (!is_first) {
    copied_options(packet.l3() + sizeof(Ipv4Header), cut.header - sizeof(Ipv4Header),
                   l3 + sizeof(Ipv4Header));
  }
  std::memcpy(l3 + header, packet.l4() + start, bytes);

  Ipv4Header& ip = ipv4_at(l3);
  ip.version_and_length = static_cast<uint8_t>(0x40 | header / 4);
  ip.total_length = be16(static_cast<uint16_t>(header + bytes));
  const unsigned offset = (packet.fragment_offset + start) / 8;
  const bool more = !is_last || packet.more_fragments;
  const unsigned reserved = ip.flags_and_offset.value() & kReserved;  // RFC1812-5.2.5
  const unsigned flags = reserved | (more ? kMoreFragments : 0u);
  ip.flags_and_offset = be16(static_cast<uint16_t>(offset | flags));
  seal_header(ip, l3);
  return static_cast<uint16_t>(packet.l3_offset + header + bytes);
}

}  // namespace postern
