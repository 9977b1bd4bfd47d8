// SPDX-License-Identifier: BSD-3-Clause
// Protocol headers as they lie in a frame: alignment 1, network byte order, no behaviour but names
// for bits. The `*_at` functions are the only places that overlay them on bytes; callers have
// checked the bounds.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/endian.h"

namespace postern {

namespace ethertype {
constexpr uint16_t ipv4 = 0x0800, arp = 0x0806;
}

struct EthernetHeader {  // IEEE 802.3, DIX framing
  MacAddress destination, source;
  be16 type;
};
static_assert(sizeof(EthernetHeader) == 14);

struct ArpPacket {  // RFC 826, for Ethernet and IPv4
  be16 hardware_type, protocol_type;
  uint8_t hardware_length, protocol_length;
  be16 operation;  // 1 request, 2 reply
  MacAddress sender_mac;
  be32 sender;
  MacAddress target_mac;
  be32 target;
};
static_assert(sizeof(ArpPacket) == 28);

struct Ipv4Header {  // RFC 791 section 3.1
  uint8_t version_and_length;
  uint8_t tos;
  be16 total_length;
  be16 identification;
  be16 flags_and_offset;  // 0x4000 don't fragment, 0x2000 more fragments, low 13 bits: offset / 8
  uint8_t ttl;
  uint8_t protocol;
  be16 checksum;
  be32 source, destination;

  unsigned header_bytes() const { return (version_and_length & 15u) * 4; }
};
static_assert(sizeof(Ipv4Header) == 20);

struct TcpHeader {  // RFC 9293 section 3.1
  be16 source_port, destination_port;
  be32 sequence, acknowledgment;
  uint8_t data_offset;  // high 4 bits, in 32-bit words
  uint8_t flags;
  be16 window, checksum, urgent;

  unsigned header_bytes() const { return (data_offset >> 4) * 4u; }
};
static_assert(sizeof(TcpHeader) == 20);

struct UdpHeader {  // RFC 768
  be16 source_port, destination_port, length, checksum;
};
static_assert(sizeof(UdpHeader) == 8);

struct IcmpHeader {  // RFC 792; `rest`: identifier and sequence, or unused and MTU
  uint8_t type, code;
  be16 checksum;
  be16 identifier, sequence;
};
static_assert(sizeof(IcmpHeader) == 8);

namespace icmp_type {
constexpr uint8_t echo_reply = 0, unreachable = 3, source_quench = 4, redirect = 5,
                  echo_request = 8, time_exceeded = 11, parameter_problem = 12,
                  timestamp_request = 13, timestamp_reply = 14, information_request = 15,
                  information_reply = 16, mask_request = 17, mask_reply = 18;
}
namespace unreachable_code {
constexpr uint8_t net = 0, host = 1, port = 3, fragmentation_needed = 4, admin_prohibited = 13;
}

inline EthernetHeader& ethernet_at(uint8_t* p) {
  return *reinterpret_cast<EthernetHeader*>(p);
}
inline const EthernetHeader& ethernet_at(const uint8_t* p) {
  return *reinterpret_cast<const EthernetHeader*>(p);
}
inline ArpPacket& arp_at(uint8_t* p) {
  return *reinterpret_cast<ArpPacket*>(p);
}
inline const ArpPacket& arp_at(const uint8_t* p) {
  return *reinterpret_cast<const ArpPacket*>(p);
}
inline Ipv4Header& ipv4_at(uint8_t* p) {
  return *reinterpret_cast<Ipv4Header*>(p);
}
inline const Ipv4Header& ipv4_at(const uint8_t* p) {
  return *reinterpret_cast<const Ipv4Header*>(p);
}
inline TcpHeader& tcp_at(uint8_t* p) {
  return *reinterpret_cast<TcpHeader*>(p);
}
inline const TcpHeader& tcp_at(const uint8_t* p) {
  return *reinterpret_cast<const TcpHeader*>(p);
}
inline UdpHeader& udp_at(uint8_t* p) {
  return *reinterpret_cast<UdpHeader*>(p);
}
inline const UdpHeader& udp_at(const uint8_t* p) {
  return *reinterpret_cast<const UdpHeader*>(p);
}
inline IcmpHeader& icmp_at(uint8_t* p) {
  return *reinterpret_cast<IcmpHeader*>(p);
}
inline const IcmpHeader& icmp_at(const uint8_t* p) {
  return *reinterpret_cast<const IcmpHeader*>(p);
}

}  // namespace postern
