// SPDX-License-Identifier: BSD-3-Clause
// Builders of frames that read like what they build, for tests:
//
//   Frame frame = udp("192.168.1.10:5000", "198.51.100.7:53").ttl(9).build();
//   Frame error = icmp("192.0.2.1", "203.0.113.1", 3, 4).mtu(1400).about(frame).build();
//
// Every checksum is right unless told otherwise. A MAC address that is not given follows from the
// IPv4 address: 02:00 and its four octets (broadcast for broadcast destinations). The payload is a
// pattern of its position in the datagram, so pieces of one datagram fit together.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/limits.h"
#include "dataplane/packet/packet.h"

namespace postern::test {

// A frame in its own buffer, with the headroom that packets have in the daemon.
class Frame {
 public:
  Frame() = default;
  explicit Frame(std::span<const uint8_t> bytes);

  std::span<uint8_t> bytes() { return std::span(storage_).subspan(kHeadroomMin); }
  std::span<const uint8_t> bytes() const { return std::span(storage_).subspan(kHeadroomMin); }
  // An unparsed packet that views this frame; l3_offset is set. The frame must outlive it.
  Packet packet();

 private:
  std::vector<uint8_t> storage_;
};

// Puts the IPv4 header checksum right, where the frame holds the whole header.
void seal_ipv4(Frame& frame);

// 02:00 and the octets of the address: what a test's hosts have.
MacAddress mac_of(Ipv4Address address);
// The test's port.
constexpr MacAddress kPortMac{{0x02, 0, 0, 0, 0, 0x01}};

class PacketBuilder {
 public:
  PacketBuilder(uint8_t protocol, Ipv4Address from, Ipv4Address to);

  // --- Ethernet and IPv4
  PacketBuilder& from_mac(MacAddress mac);
  PacketBuilder& to_mac(MacAddress mac);
  PacketBuilder& ttl(uint8_t value);
  PacketBuilder& tos(uint8_t value);
  PacketBuilder& identification(uint16_t value);
  PacketBuilder& dont_fragment(bool value = true);
  // IPv4 total length; of the piece, where it is one.
  PacketBuilder& length(uint16_t bytes);
  // A piece: `offset` in bytes. `whole` is what all pieces together carry behind their IPv4
  // headers; where it is zero, the datagram ends with this piece, or eight bytes behind it when
  // `more` follow.
  PacketBuilder& fragment(uint16_t offset, bool more, uint16_t whole = 0);
  PacketBuilder& options(std::vector<uint8_t> bytes);  // padded with zeros to whole words
  // --- transport
  PacketBuilder& ports(uint16_t from, uint16_t to);
  PacketBuilder& payload(uint16_t bytes);  // behind the transport header
  PacketBuilder& without_checksum();       // UDP: zero
  PacketBuilder& with_bad_checksum();      // behind the IPv4 header
  PacketBuilder& flags(uint8_t tcp_flags);
  PacketBuilder& syn() { return flags(tcp_flag::syn); }
  PacketBuilder& syn_ack() { return flags(tcp_flag::syn | tcp_flag::ack); }
  PacketBuilder& ack() { return flags(tcp_flag::ack); }
  PacketBuilder& fin_ack() { return flags(tcp_flag::fin | tcp_flag::ack); }
  PacketBuilder& rst() { return flags(tcp_flag::rst); }
  PacketBuilder& sequence(uint32_t number);
  PacketBuilder& acknowledgment(uint32_t number);
  PacketBuilder& mss(uint16_t bytes);  // as an option
  // --- ICMP
  PacketBuilder& icmp_kind(uint8_t type, uint8_t code);
  PacketBuilder& icmp_id(uint16_t identifier, uint16_t sequence = 1);
  PacketBuilder& mtu(uint16_t bytes);  // type 3 code 4
  // Quotes the IPv4 packet of a frame: its header and `bytes` behind it (RFC 792: 8).
  PacketBuilder& about(const Frame& frame, size_t bytes = 8);

  Frame build() const;

 private:
  std::vector<uint8_t> transport(size_t whole) const;
  std::vector<uint8_t> tcp_header() const;
  size_t header_bytes() const;

  uint8_t protocol_;
  Ipv4Address from_, to_;
  std::optional<MacAddress> from_mac_, to_mac_;
  uint8_t ttl_ = 64, tos_ = 0;
  uint16_t identification_ = 0x1234;
  bool dont_fragment_ = false, more_ = false, has_checksum_ = true, has_bad_checksum_ = false;
  uint16_t length_ = 0, offset_ = 0, whole_ = 0;
  std::vector<uint8_t> options_;
  uint16_t from_port_ = 0, to_port_ = 0;
  std::optional<uint16_t> payload_;
  uint8_t flags_ = tcp_flag::ack;
  uint32_t sequence_ = 1000, acknowledgment_ = 0;
  uint16_t mss_ = 0;
  uint8_t type_ = 8, code_ = 0;
  uint16_t icmp_first_ = 0, icmp_second_ = 0;  // the two halves of the word behind the checksum
  std::vector<uint8_t> quoted_;
};

// Endpoints as "192.0.2.1:80", addresses as "192.0.2.1". Bad text is an assertion: it is the test's
// own.
PacketBuilder udp(std::string_view from, std::string_view to);
PacketBuilder tcp(std::string_view from, std::string_view to);
PacketBuilder icmp(std::string_view from, std::string_view to, uint8_t type, uint8_t code = 0);
PacketBuilder echo_request(std::string_view from, std::string_view to, uint16_t identifier);
PacketBuilder echo_reply(std::string_view from, std::string_view to, uint16_t identifier);
PacketBuilder ip(uint8_t protocol, std::string_view from, std::string_view to);

Frame arp_request(Ipv4Address asked, Ipv4Address sender, MacAddress sender_mac,
                  MacAddress to_mac = kBroadcastMac);
Frame arp_reply(Ipv4Address asked, MacAddress asked_mac, Ipv4Address to, MacAddress to_mac);

}  // namespace postern::test
