// SPDX-License-Identifier: BSD-3-Clause
// Packet: what the pipeline knows of one frame. A view: the bytes belong to whoever gave the packet
// in (an mbuf in the daemon, an array in tests), named by `buffer`, which the pipeline never opens.
//
// At least kHeadroomMin bytes before `frame` are writable, so that an ICMP error can be built in
// front of the offending header without another buffer. `length` is the Ethernet frame's without
// FCS. parse() (dataplane/packet/parse.h) fills what lies below "set by parse"; bytes may be
// trusted after it.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/packet/flow_key.h"

namespace postern {

using InterfaceId = uint8_t;
constexpr InterfaceId kNoInterface = 0xff;
constexpr InterfaceId kGateway = 0x3f;  // "in" of the gateway's own packets, "out" of packets to it

using WorkerId = uint8_t;

enum class PacketKind : uint8_t { unparsed, arp, ipv4 };

// Why a packet was handed to another worker, and so where its path goes on.
enum class Errand : uint8_t {
  none,      // fresh from a port
  fragment,  // this worker keeps the trains of its fragments
  session,   // this worker owns its session
};

struct Packet {
  uint8_t* frame = nullptr;
  void* buffer = nullptr;              // opaque handle of the owner
  uint16_t length = 0;                 // bytes
  InterfaceId ingress = kNoInterface;  // port it came in by; kGateway from the host path
  InterfaceId egress = kNoInterface;   // set with Verdict::forward and Verdict::host

  // --- how it came here
  bool from_host = false;  // from the host path of some interface
  uint8_t rounds = 0;      // hairpin passes so far; the source was translated in the last one
  Errand errand = Errand::none;
  bool ports_recovered = false;  // later fragment: ports in `key` come from its first fragment

  // --- set by parse
  PacketKind kind = PacketKind::unparsed;
  bool to_multicast_mac = false;   // broadcast included
  bool is_fragment = false;        // any piece of a datagram
  bool is_later_fragment = false;  // offset above 0: no transport header inside
  bool is_icmp_error = false;      // RFC 792 types 3, 4, 5, 11, 12
  bool dont_fragment = false;
  uint8_t tcp_flags = 0;  // byte 13 of the TCP header
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  uint8_t ttl = 0;
  uint16_t l3_offset = 0;        // of the IPv4 header (or ARP packet) from `frame`
  uint16_t l4_offset = 0;        // of the transport header; meaningless for later fragments
  uint16_t l3_length = 0;        // IPv4 total length, bytes
  uint16_t identification = 0;   // IPv4 identification, host order
  uint16_t fragment_offset = 0;  // bytes
  FlowKey key;                   // ports zero where there are none
  bool more_fragments = false;

  // --- set by the pipeline
  bool needs_fragmentation = false;  // forward: larger than the egress MTU and may be cut
  uint16_t trace = 0;                // of a packet that is followed: its number (capture/tap.h)
  Ipv4Address next_hop;              // forward
  uint32_t held_under = 0;           // generation of the policy under which it began to wait

  std::span<uint8_t> bytes() { return {frame, length}; }
  std::span<const uint8_t> bytes() const { return {frame, length}; }
  uint8_t* l3() { return frame + l3_offset; }
  uint8_t* l4() { return frame + l4_offset; }
  const uint8_t* l3() const { return frame + l3_offset; }
  const uint8_t* l4() const { return frame + l4_offset; }
};

namespace tcp_flag {
constexpr uint8_t fin = 0x01, syn = 0x02, rst = 0x04, psh = 0x08, ack = 0x10, urg = 0x20;
}

}  // namespace postern
