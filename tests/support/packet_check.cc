// SPDX-License-Identifier: BSD-3-Clause
#include "support/packet_check.h"

#include <algorithm>

#include "base/limits.h"
#include "dataplane/packet/parse.h"
#include "dataplane/packet/reply.h"
#include "dataplane/wire/headers.h"
#include "support/packet_compare.h"

namespace postern::test {
namespace {

std::string broken_transport_claim(const Packet& packet) {
  const unsigned bytes = packet.length - packet.l4_offset;
  const uint8_t proto = packet.key.protocol;
  if (proto == protocol::tcp) {
    if (bytes < sizeof(TcpHeader)) return "TCP header is not whole";
    if (tcp_at(packet.l4()).header_bytes() > bytes) return "TCP options are not whole";
    if (tcp_at(packet.l4()).flags != packet.tcp_flags) return "TCP flags differ";
  }
  if (proto == protocol::udp && bytes < sizeof(UdpHeader)) return "UDP header is not whole";
  if (proto == protocol::icmp && bytes < sizeof(IcmpHeader)) return "ICMP header is not whole";
  if (!has_identifier(proto) && packet.key.source_port != be16(0)) return "ports without ports";
  return "";
}

// `packet` is in its own buffer; what it says of itself must be what parse says of its bytes.
std::string broken_reply(const Packet& packet, const char* name) {
  Frame frame(packet.bytes());
  const std::string sums = broken_checksum(frame.bytes());
  // What is quoted is quoted as it came, right or wrong.
  if (!sums.empty() && sums.rfind("quoted", 0) != 0) return std::string(name) + ": " + sums;
  Packet again = frame.packet();
  again.from_host = true;
  ethernet_at(again.frame).destination = kPortMac;
  if (parse(again, kPortMac) != DropReason::none) return std::string(name) + ": does not parse";
  if (!(again.key == packet.key)) return std::string(name) + ": another key";
  if (again.l3_length != packet.l3_length) return std::string(name) + ": another length";
  if (again.is_icmp_error != packet.is_icmp_error) return std::string(name) + ": another kind";
  return "";
}

// A packet in a copy of `frame` that has been parsed before.
Packet parsed(Frame& copy) {
  Packet packet = copy.packet();
  const bool is_good = parse(packet, kPortMac) == DropReason::none;
  POSTERN_ASSERT(is_good);
  return packet;
}

std::string broken_pieces(const Frame& frame, uint16_t mtu) {
  Frame copy = frame;
  const Packet packet = parsed(copy);
  const unsigned pieces = fragments_needed(packet, mtu);
  unsigned offset = packet.fragment_offset;
  for (unsigned i = 0; i < pieces; ++i) {
    std::vector<uint8_t> room(
        std::max<size_t>(mtu + 14u, packet.l3_length <= mtu ? packet.length : 0));
    const uint16_t length = write_fragment(packet, mtu, i, room.data());
    if (length > mtu + 14u) return "piece: larger than the MTU";
    Packet piece = packet;
    piece.frame = room.data();
    piece.length = length;
    piece.from_host = true;
    const DropReason reason = parse_ipv4(piece);
    // A tiny MTU may cut what may not be cut: then whoever gets it refuses it for that.
    if (reason != DropReason::none && reason != DropReason::fragment_malformed) {
      return std::string("piece: ") + to_word(reason);
    }
    if (piece.fragment_offset != offset) return "piece: not where the last one ended";
    if (piece.more_fragments != (i + 1 < pieces || packet.more_fragments))
      return "piece: wrong end";
    offset += piece.l3_length - (piece.l4_offset - piece.l3_offset);
  }
  const unsigned payload = packet.l3_length - (packet.l4_offset - packet.l3_offset);
  return offset == packet.fragment_offset + payload ? "" : "pieces: bytes are missing";
}

}  // namespace

std::string broken_claim(const Packet& packet) {
  if (packet.kind == PacketKind::arp) {
    return packet.l3_offset + sizeof(ArpPacket) <= packet.length ? "" : "ARP packet is not whole";
  }
  if (packet.kind != PacketKind::ipv4) return "it is of no kind";
  if (packet.l3_offset + packet.l3_length != packet.length) return "length is not the datagram's";
  if (packet.l4_offset < packet.l3_offset + sizeof(Ipv4Header)) return "l4_offset is too small";
  if (packet.l4_offset > packet.length) return "l4_offset is beyond the frame";
  if (packet.is_later_fragment && !packet.is_fragment) return "a later piece is no piece";
  if (packet.is_later_fragment != (packet.fragment_offset > 0)) return "offset of a later piece";
  if (packet.is_fragment && packet.fragment_offset + packet.l3_length > 65535) {
    return "piece ends beyond every datagram";
  }
  if (!packet.is_later_fragment) return broken_transport_claim(packet);
  const bool has_number =
      packet.key.source_port != be16(0) || packet.key.destination_port != be16(0);
  return has_number || packet.is_icmp_error ? "a later piece has no transport header" : "";
}

std::string broken_answer(const Frame& frame) {
  Frame copy = frame;
  Packet packet = parsed(copy);
  const Ipv4Address from(203, 0, 113, 1);
  if (packet.kind == PacketKind::arp) {
    if (arp_at(packet.l3()).operation != be16(1)) return "";
    turn_into_arp_reply(packet, kPortMac);
    return ethernet_at(packet.frame).source == kPortMac ? "" : "ARP reply: not from our port";
  }
  std::string broken;
  if (may_answer_with_error(packet) && Ipv4Address(packet.key.source) != from) {
    turn_into_icmp_error(packet, icmp_type::unreachable, unreachable_code::fragmentation_needed,
                         1400, from);
    broken = broken_reply(packet, "ICMP error");
    if (packet.l3_length > 576) broken = "ICMP error: too long";
    const auto quoted = packet.bytes().subspan(packet.l4_offset + sizeof(IcmpHeader));
    const auto came = frame.bytes().subspan(sizeof(EthernetHeader), quoted.size());
    if (!std::ranges::equal(quoted, came)) broken = "ICMP error: another packet is quoted";
  }
  Frame second = frame;
  packet = parsed(second);
  if (broken.empty() && packet.key.protocol == protocol::tcp && !packet.is_later_fragment &&
      (packet.tcp_flags & tcp_flag::rst) == 0 && may_answer_with_error(packet)) {
    turn_into_tcp_reset(packet);
    broken = broken_reply(packet, "TCP reset");
  }
  for (uint16_t mtu : {uint16_t{68}, uint16_t{576}, uint16_t{1280}}) {
    if (broken.empty()) broken = broken_pieces(frame, mtu);
  }
  return broken;
}

}  // namespace postern::test
