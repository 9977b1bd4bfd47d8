// SPDX-License-Identifier: BSD-3-Clause
#include "support/packet_builder.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/assert.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace postern::test {
namespace {

Ipv4Address address_of(std::string_view text) {
  auto address = parse_ipv4(text);
  POSTERN_ASSERT(address.has_value());
  return *address;
}

Endpoint endpoint_of(std::string_view text) {
  const size_t colon = text.find(':');
  POSTERN_ASSERT(colon != std::string_view::npos);
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  auto read = std::from_chars(text.data() + colon + 1, end, port);
  POSTERN_ASSERT(read.ec == std::errc() && read.ptr == end);
  return {address_of(text.substr(0, colon)), port};
}

constexpr uint16_t kDamage = 0x5555;

be16 inverted(uint16_t total) {
  return be16::from_raw(static_cast<uint16_t>(~total));
}

uint32_t halves(be32 word) {
  return (word.raw() & 0xFFFF) + (word.raw() >> 16);
}

uint32_t pseudo_sum(Ipv4Address from, Ipv4Address to, uint8_t protocol, size_t length) {
  return halves(from.wire()) + halves(to.wire()) + be16(protocol).raw() +
         be16(static_cast<uint16_t>(length)).raw();
}

Frame arp_frame(const ArpPacket& arp, MacAddress to_mac) {
  std::vector<uint8_t> bytes(sizeof(EthernetHeader) + sizeof(ArpPacket));
  ethernet_at(bytes.data()) = {to_mac, arp.sender_mac, be16(ethertype::arp)};
  ArpPacket& written = arp_at(bytes.data() + sizeof(EthernetHeader));
  written = arp;
  written.hardware_type = be16(1);
  written.protocol_type = be16(ethertype::ipv4);
  written.hardware_length = 6;
  written.protocol_length = 4;
  return Frame(bytes);
}

}  // namespace

Frame::Frame(std::span<const uint8_t> bytes) : storage_(kHeadroomMin + bytes.size()) {
  std::copy(bytes.begin(), bytes.end(), this->bytes().begin());
}

Packet Frame::packet() {
  Packet packet;
  packet.frame = bytes().data();
  packet.buffer = this;
  packet.length = static_cast<uint16_t>(bytes().size());
  packet.l3_offset = sizeof(EthernetHeader);
  return packet;
}

void seal_ipv4(Frame& frame) {
  constexpr size_t kLeast = sizeof(EthernetHeader) + sizeof(Ipv4Header);
  if (frame.bytes().size() < kLeast) return;
  uint8_t* l3 = frame.bytes().data() + sizeof(EthernetHeader);
  Ipv4Header& ip = ipv4_at(l3);
  if (frame.bytes().size() < sizeof(EthernetHeader) + ip.header_bytes()) return;
  ip.checksum = be16();
  ip.checksum = inverted(sum(l3, ip.header_bytes()));
}

MacAddress mac_of(Ipv4Address address) {
  const uint32_t n = address.number;
  return {{0x02, 0, static_cast<uint8_t>(n >> 24), static_cast<uint8_t>(n >> 16),
           static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)}};
}

PacketBuilder::PacketBuilder(uint8_t protocol, Ipv4Address from, Ipv4Address to)
    : protocol_(protocol), from_(from), to_(to) {}

PacketBuilder& PacketBuilder::from_mac(MacAddress mac) {
  return from_mac_ = mac, *this;
}
PacketBuilder& PacketBuilder::to_mac(MacAddress mac) {
  return to_mac_ = mac, *this;
}
PacketBuilder& PacketBuilder::ttl(uint8_t value) {
  return ttl_ = value, *this;
}
PacketBuilder& PacketBuilder::tos(uint8_t value) {
  return tos_ = value, *this;
}
PacketBuilder& PacketBuilder::identification(uint16_t value) {
  return identification_ = value, *this;
}
PacketBuilder& PacketBuilder::dont_fragment(bool value) {
  return dont_fragment_ = value, *this;
}
PacketBuilder& PacketBuilder::length(uint16_t bytes) {
  return length_ = bytes, *this;
}

PacketBuilder& PacketBuilder::fragment(uint16_t offset, bool more, uint16_t whole) {
  offset_ = offset;
  more_ = more;
  whole_ = whole;
  return *this;
}

PacketBuilder& PacketBuilder::options(std::vector<uint8_t> bytes) {
  options_ = std::move(bytes);
  options_.resize((options_.size() + 3) & ~size_t{3});
  return *this;
}

PacketBuilder& PacketBuilder::ports(uint16_t from, uint16_t to) {
  from_port_ = from;
  to_port_ = to;
  return *this;
}

PacketBuilder& PacketBuilder::payload(uint16_t bytes) {
  return payload_ = bytes, *this;
}
PacketBuilder& PacketBuilder::without_checksum() {
  return has_checksum_ = false, *this;
}
PacketBuilder& PacketBuilder::with_bad_checksum() {
  return has_bad_checksum_ = true, *this;
}
PacketBuilder& PacketBuilder::flags(uint8_t tcp_flags) {
  return flags_ = tcp_flags, *this;
}
PacketBuilder& PacketBuilder::sequence(uint32_t number) {
  return sequence_ = number, *this;
}
PacketBuilder& PacketBuilder::acknowledgment(uint32_t number) {
  return acknowledgment_ = number, *this;
}
PacketBuilder& PacketBuilder::mss(uint16_t bytes) {
  return mss_ = bytes, *this;
}

PacketBuilder& PacketBuilder::icmp_kind(uint8_t type, uint8_t code) {
  type_ = type;
  code_ = code;
  return *this;
}

PacketBuilder& PacketBuilder::icmp_id(uint16_t identifier, uint16_t sequence) {
  icmp_first_ = identifier;
  icmp_second_ = sequence;
  return *this;
}

PacketBuilder& PacketBuilder::mtu(uint16_t bytes) {
  return icmp_second_ = bytes, *this;
}

PacketBuilder& PacketBuilder::about(const Frame& frame, size_t bytes) {
  auto l3 = frame.bytes().subspan(sizeof(EthernetHeader));
  const size_t quoted = std::min(l3.size(), ipv4_at(l3.data()).header_bytes() + bytes);
  quoted_.assign(l3.begin(), l3.begin() + static_cast<ptrdiff_t>(quoted));
  return *this;
}

size_t PacketBuilder::header_bytes() const {
  switch (protocol_) {
    case protocol::tcp:
      return sizeof(TcpHeader) + (mss_ != 0 ? 4u : 0u);
    case protocol::udp:
      return sizeof(UdpHeader);
    case protocol::icmp:
      return sizeof(IcmpHeader) + quoted_.size();
    default:
      return 0;
  }
}

std::vector<uint8_t> PacketBuilder::tcp_header() const {
  std::vector<uint8_t> bytes(header_bytes());
  TcpHeader& tcp = tcp_at(bytes.data());
  tcp.source_port = be16(from_port_);
  tcp.destination_port = be16(to_port_);
  tcp.sequence = be32(sequence_);
  tcp.acknowledgment = be32(acknowledgment_);
  tcp.data_offset = static_cast<uint8_t>(bytes.size() / 4 << 4);
  tcp.flags = flags_;
  tcp.window = be16(65535);
  if (mss_ != 0) {
    bytes[20] = 2;  // kind: maximum segment size
    bytes[21] = 4;
    bytes[22] = static_cast<uint8_t>(mss_ >> 8);
    bytes[23] = static_cast<uint8_t>(mss_);
  }
  return bytes;
}

// The transport header and the pattern behind it, `whole` bytes, with its checksum.
std::vector<uint8_t> PacketBuilder::transport(size_t whole) const {
  std::vector<uint8_t> bytes =
      protocol_ == protocol::tcp ? tcp_header() : std::vector<uint8_t>(header_bytes());
  const size_t header = bytes.size();
  if (protocol_ == protocol::icmp) std::copy(quoted_.begin(), quoted_.end(), bytes.begin() + 8);
  bytes.resize(std::max(whole, header));
  for (size_t i = header; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>('a' + (i - header) % 26);
  }
  const uint32_t pseudo =
      protocol_ == protocol::icmp ? 0 : pseudo_sum(from_, to_, protocol_, bytes.size());
  const uint32_t start = has_bad_checksum_ ? pseudo + kDamage : pseudo;
  uint8_t* at = bytes.data();
  if (protocol_ == protocol::tcp) {
    tcp_at(at).checksum = inverted(sum(at, bytes.size(), start));
  } else if (protocol_ == protocol::udp) {
    udp_at(at) = {be16(from_port_), be16(to_port_), be16(static_cast<uint16_t>(bytes.size())), {}};
    const be16 checksum = inverted(sum(at, bytes.size(), start));
    if (has_checksum_) udp_at(at).checksum = checksum == be16(0) ? be16(0xFFFF) : checksum;
  } else if (protocol_ == protocol::icmp) {
    icmp_at(at) = {type_, code_, {}, be16(icmp_first_), be16(icmp_second_)};
    icmp_at(at).checksum = inverted(sum(at, bytes.size(), start));
  }
  return bytes;
}

Frame PacketBuilder::build() const {
  const size_t ip_header = sizeof(Ipv4Header) + options_.size();
  const uint16_t default_payload = protocol_ == protocol::tcp || !quoted_.empty() ? 0 : 8;
  size_t piece =
      length_ != 0 ? length_ - ip_header : header_bytes() + payload_.value_or(default_payload);
  size_t whole = whole_ != 0 ? whole_ : offset_ + piece + (more_ ? 8 : 0);
  std::vector<uint8_t> datagram = transport(whole);
  piece = std::min(piece, datagram.size() - offset_);

  std::vector<uint8_t> bytes(sizeof(EthernetHeader) + ip_header);
  const bool to_all = to_.is_limited_broadcast();
  ethernet_at(bytes.data()) = {to_mac_.value_or(to_all ? kBroadcastMac : kPortMac),
                               from_mac_.value_or(mac_of(from_)), be16(ethertype::ipv4)};
  uint8_t* l3 = bytes.data() + sizeof(EthernetHeader);
  Ipv4Header& header = ipv4_at(l3);
  header.version_and_length = static_cast<uint8_t>(0x40 | ip_header / 4);
  header.tos = tos_;
  header.total_length = be16(static_cast<uint16_t>(ip_header + piece));
  header.identification = be16(identification_);
  header.flags_and_offset = be16(
      static_cast<uint16_t>(offset_ / 8 | (more_ ? 0x2000 : 0) | (dont_fragment_ ? 0x4000 : 0)));
  header.ttl = ttl_;
  header.protocol = protocol_;
  header.source = from_.wire();
  header.destination = to_.wire();
  std::copy(options_.begin(), options_.end(), l3 + sizeof(Ipv4Header));
  header.checksum = inverted(sum(l3, ip_header));
  auto first = datagram.begin() + offset_;
  bytes.insert(bytes.end(), first, first + static_cast<ptrdiff_t>(piece));
  return Frame(bytes);
}

PacketBuilder udp(std::string_view from, std::string_view to) {
  const Endpoint a = endpoint_of(from), b = endpoint_of(to);
  return PacketBuilder(protocol::udp, a.address, b.address).ports(a.port, b.port);
}

PacketBuilder tcp(std::string_view from, std::string_view to) {
  const Endpoint a = endpoint_of(from), b = endpoint_of(to);
  return PacketBuilder(protocol::tcp, a.address, b.address).ports(a.port, b.port);
}

PacketBuilder icmp(std::string_view from, std::string_view to, uint8_t type, uint8_t code) {
  return ip(protocol::icmp, from, to).icmp_kind(type, code);
}

PacketBuilder echo_request(std::string_view from, std::string_view to, uint16_t identifier) {
  return icmp(from, to, icmp_type::echo_request).icmp_id(identifier);
}

PacketBuilder echo_reply(std::string_view from, std::string_view to, uint16_t identifier) {
  return icmp(from, to, icmp_type::echo_reply).icmp_id(identifier);
}

PacketBuilder ip(uint8_t protocol, std::string_view from, std::string_view to) {
  return PacketBuilder(protocol, address_of(from), address_of(to));
}

Frame arp_request(Ipv4Address asked, Ipv4Address sender, MacAddress sender_mac, MacAddress to_mac) {
  ArpPacket arp{};
  arp.operation = be16(1);
  arp.sender_mac = sender_mac;
  arp.sender = sender.wire();
  if (!to_mac.is_broadcast()) arp.target_mac = to_mac;
  arp.target = asked.wire();
  return arp_frame(arp, to_mac);
}

Frame arp_reply(Ipv4Address asked, MacAddress asked_mac, Ipv4Address to, MacAddress to_mac) {
  ArpPacket arp{};
  arp.operation = be16(2);
  arp.sender_mac = asked_mac;
  arp.sender = asked.wire();
  arp.target_mac = to_mac;
  arp.target = to.wire();
  return arp_frame(arp, to_mac);
}

}  // namespace postern::test
