// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/parse.h"

#include "dataplane/packet/icmp_query.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace postern {
namespace {

constexpr uint16_t kDontFragment = 0x4000, kMoreFragments = 0x2000, kOffsetMask = 0x1FFF;
constexpr uint8_t kPlainHeader = 0x45;  // version 4, no options: nearly every packet
constexpr unsigned kDatagramMax = 65535;

// F04: which of FIN, SYN, RST, ACK and URG a correct sender puts together; the others go with any.
constexpr uint8_t kPlausibleFlags[] = {
    tcp_flag::syn,
    tcp_flag::syn | tcp_flag::urg,
    tcp_flag::syn | tcp_flag::ack,
    tcp_flag::rst,
    tcp_flag::rst | tcp_flag::ack,
    tcp_flag::fin | tcp_flag::ack,
    tcp_flag::fin | tcp_flag::ack | tcp_flag::urg,
    tcp_flag::ack,
    tcp_flag::ack | tcp_flag::urg,
};

// The same as a set: bit i stands for combination i of the low six flags.
constexpr uint64_t kPlausibleSet = [] {
  uint64_t set = 0;
  for (uint8_t flags : kPlausibleFlags) {
    set |= uint64_t{1} << flags | uint64_t{1} << (flags | tcp_flag::psh);
  }
  return set;
}();

bool header_sum_holds(const uint8_t* header, unsigned bytes) {
  return bytes == sizeof(Ipv4Header) ? plain_header_holds(header) : sum(header, bytes) == 0xFFFF;
}

// RFC 7126 section 4: source routes are refused, and what is not a list of options.
bool are_options_acceptable(const uint8_t* options, unsigned bytes) {
  constexpr uint8_t kEnd = 0, kNothing = 1, kLooseSourceRoute = 131, kStrictSourceRoute = 137;
  for (unsigned at = 0; at < bytes;) {
    const uint8_t type = options[at];
    if (type == kEnd) return true;
    if (type == kNothing) {
      ++at;
      continue;
    }
    if (type == kLooseSourceRoute || type == kStrictSourceRoute) return false;
    if (at + 1 >= bytes) return false;
    const unsigned length = options[at + 1];
    if (length < 2 || at + length > bytes) return false;
    at += length;
  }
  return true;
}

// RFC 1812 section 5.3.7, RFC 1122 section 3.2.1.3. An unspecified source is a host that asks for
// its address (RFC 2131): only to everybody on its wire, or from our own kernel.
DropReason check_addresses(Ipv4Address source, Ipv4Address destination, const Packet& packet) {
  const unsigned from = source.number >> 24, to = destination.number >> 24;
  if (from == 0 || from == 127 || from >= 224) [[unlikely]] {
    if (!source.is_unspecified() || !(packet.to_multicast_mac || packet.from_host)) {
      return DropReason::source_address_bad;
    }
  }
  if (source == destination) [[unlikely]]
    return DropReason::source_address_bad;
  if (to == 0 || to == 127 || destination.is_reserved()) [[unlikely]] {
    return DropReason::destination_address_bad;
  }
  return DropReason::none;
}

// RFC 791 section 3.2, RFC 1858. `payload`: bytes behind the IPv4 header.
DropReason check_fragment(const Packet& packet, unsigned payload) {
  if (payload == 0 || (packet.more_fragments && payload % 8 != 0)) {
    return DropReason::fragment_malformed;
  }
  if (packet.fragment_offset + unsigned{packet.l3_length} > kDatagramMax) {
    return DropReason::fragment_malformed;
  }
  // RFC1858-3.2: no second fragment may write over the flags of the TCP header.
  if (packet.key.protocol == protocol::tcp && packet.fragment_offset == 8) {
    return DropReason::fragment_malformed;
  }
  return DropReason::none;
}

DropReason parse_tcp(Packet& packet, unsigned payload) {
  if (payload < sizeof(TcpHeader)) [[unlikely]]
    return DropReason::transport_malformed;
  const TcpHeader& tcp = tcp_at(packet.l4());
  const unsigned header = tcp.header_bytes();
  if (header < sizeof(TcpHeader) || header > payload) [[unlikely]] {
    return DropReason::transport_malformed;
  }
  packet.tcp_flags = tcp.flags;
  packet.key.source_port = tcp.source_port;
  packet.key.destination_port = tcp.destination_port;
  const bool plausible = (kPlausibleSet >> (tcp.flags & 0x3F) & 1) != 0;
  return plausible ? DropReason::none : DropReason::tcp_flags_bad;
}

DropReason parse_udp(Packet& packet, unsigned payload) {
  if (payload < sizeof(UdpHeader)) [[unlikely]]
    return DropReason::transport_malformed;
  const UdpHeader& udp = udp_at(packet.l4());
  const unsigned length = udp.length.value();
  // The length counts the whole datagram, of which a first fragment holds a part only.
  if (length < sizeof(UdpHeader) || (length > payload && !packet.is_fragment)) [[unlikely]] {
    return DropReason::transport_malformed;
  }
  packet.key.source_port = udp.source_port;
  packet.key.destination_port = udp.destination_port;
  return DropReason::none;
}

// RFC 792; those that quote the packet they are about.
bool is_icmp_error(uint8_t type) {
  return type == icmp_type::unreachable || type == icmp_type::source_quench ||
         type == icmp_type::redirect || type == icmp_type::time_exceeded ||
         type == icmp_type::parameter_problem;
}

DropReason parse_icmp(Packet& packet, unsigned payload) {
  if (payload < sizeof(IcmpHeader)) [[unlikely]]
    return DropReason::transport_malformed;
  const IcmpHeader& icmp = icmp_at(packet.l4());
  packet.icmp_type = icmp.type;
  packet.icmp_code = icmp.code;
  packet.key.icmp_kind = icmp_kind_of(icmp.type);
  if (is_query_request(icmp.type)) packet.key.source_port = icmp.identifier;
  if (is_query_reply(icmp.type)) packet.key.destination_port = icmp.identifier;
  packet.is_icmp_error = is_icmp_error(icmp.type);
  return DropReason::none;
}

DropReason parse_transport(Packet& packet, unsigned payload) {
  switch (packet.key.protocol) {
    case protocol::tcp:
      return parse_tcp(packet, payload);
    case protocol::udp:
      return parse_udp(packet, payload);
    case protocol::icmp:
      return parse_icmp(packet, payload);
    default:
      return DropReason::none;
  }
}

// Everything that parse sets below the link layer and that not every packet sets again.
void forget(Packet& packet) {
  packet.kind = PacketKind::unparsed;
  packet.is_fragment = packet.is_later_fragment = packet.more_fragments = false;
  packet.is_icmp_error = false;
  packet.tcp_flags = packet.icmp_type = packet.icmp_code = 0;
  packet.fragment_offset = 0;
  packet.key = FlowKey{};
}

// RFC 826, and RFC 5227 for probes (sender unspecified).
DropReason parse_arp(Packet& packet) {
  forget(packet);
  if (packet.length < packet.l3_offset + sizeof(ArpPacket)) return DropReason::arp_malformed;
  const ArpPacket& arp = arp_at(packet.l3());
  const unsigned operation = arp.operation.value();
  if (arp.hardware_type.value() != 1 || arp.protocol_type.value() != ethertype::ipv4 ||
      arp.hardware_length != 6 || arp.protocol_length != 4 || operation < 1 || operation > 2) {
    return DropReason::arp_malformed;
  }
  if (arp.sender_mac.is_multicast() || arp.sender_mac.is_zero()) return DropReason::arp_malformed;
  const Ipv4Address sender(arp.sender);
  const bool is_probe = operation == 1 && sender.is_unspecified();
  const unsigned top = sender.number >> 24;
  if (!is_probe && (top == 0 || top == 127 || top >= 224)) return DropReason::arp_malformed;
  packet.kind = PacketKind::arp;
  packet.l3_length = sizeof(ArpPacket);
  packet.key.source = arp.sender;
  packet.key.destination = arp.target;
  return DropReason::none;
}

}  // namespace

DropReason parse_ipv4(Packet& packet) {
  forget(packet);
  if (packet.l3_offset + sizeof(Ipv4Header) > packet.length) [[unlikely]] {
    return DropReason::ipv4_malformed;
  }
  const Ipv4Header& ip = ipv4_at(packet.l3());
  const unsigned header = ip.header_bytes(), total = ip.total_length.value();
  if (ip.version_and_length != kPlainHeader) [[unlikely]] {
    if (ip.version_and_length >> 4 != 4 || header < sizeof(Ipv4Header)) {
      return DropReason::ipv4_malformed;
    }
  }
  if (total < header || packet.l3_offset + total > packet.length) [[unlikely]] {
    return DropReason::ipv4_malformed;
  }
  if (!header_sum_holds(packet.l3(), header)) [[unlikely]]
    return DropReason::ipv4_checksum_bad;

  const uint16_t flags = ip.flags_and_offset.value();
  packet.kind = PacketKind::ipv4;
  packet.length = static_cast<uint16_t>(packet.l3_offset + total);  // cuts off Ethernet padding
  packet.l3_length = static_cast<uint16_t>(total);
  packet.l4_offset = static_cast<uint16_t>(packet.l3_offset + header);
  packet.ttl = ip.ttl;
  packet.identification = ip.identification.value();
  packet.dont_fragment = (flags & kDontFragment) != 0;
  packet.more_fragments = (flags & kMoreFragments) != 0;
  packet.fragment_offset = static_cast<uint16_t>((flags & kOffsetMask) * 8);
  packet.is_fragment = (flags & (kMoreFragments | kOffsetMask)) != 0;
  packet.is_later_fragment = (flags & kOffsetMask) != 0;
  packet.key.source = ip.source;
  packet.key.destination = ip.destination;
  packet.key.protocol = ip.protocol;
  if (ip.version_and_length != kPlainHeader &&
      !are_options_acceptable(packet.l3() + sizeof(Ipv4Header), header - sizeof(Ipv4Header))) {
    return DropReason::ipv4_options_refused;
  }
  const DropReason martian =
      check_addresses(Ipv4Address(ip.source), Ipv4Address(ip.destination), packet);
  if (martian != DropReason::none) [[unlikely]]
    return martian;

  if (!packet.is_fragment) [[likely]]
    return parse_transport(packet, total - header);
  const DropReason reason = check_fragment(packet, total - header);
  if (reason != DropReason::none || packet.is_later_fragment) return reason;
  // RFC1858-3.1: the first fragment holds the whole transport header.
  const DropReason tiny = parse_transport(packet, total - header);
  return tiny == DropReason::transport_malformed ? DropReason::fragment_malformed : tiny;
}

DropReason parse(Packet& packet, const MacAddress& port_mac) {
  packet.kind = PacketKind::unparsed;
  if (packet.length < sizeof(EthernetHeader)) [[unlikely]]
    return DropReason::frame_malformed;
  const EthernetHeader& ethernet = ethernet_at(packet.frame);
  packet.to_multicast_mac = ethernet.destination.is_multicast();
  packet.l3_offset = sizeof(EthernetHeader);
  if (ethernet.destination != port_mac && !packet.to_multicast_mac) [[unlikely]] {
    return DropReason::not_our_mac;
  }
  const uint16_t type = ethernet.type.value();
  if (type == ethertype::ipv4) [[likely]]
    return parse_ipv4(packet);
  if (type == ethertype::arp) return parse_arp(packet);
  return DropReason::ethertype_unsupported;
}

}  // namespace postern
