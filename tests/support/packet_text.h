// SPDX-License-Identifier: BSD-3-Clause
// One line of text per frame, both ways: for scripts, for messages of failed tests.
//
//   udp 192.168.1.10:5000 -> 198.51.100.7:53 len=36
//   tcp 192.168.1.10:5000 -> 198.51.100.7:80 syn seq=1000 mss=1460 df
//   icmp 192.168.1.10 -> 198.51.100.7 echo-request id=7
//   icmp 192.0.2.1 -> 203.0.113.1 unreachable/4 mtu=1400 about udp 203.0.113.1:1024 ->
//   198.51.100.7:53 udp 192.168.1.10:5000 -> 198.51.100.7:53 frag=0+ len=1500 whole=4008     (first
//   piece) udp 192.168.1.10 -> 198.51.100.7 frag=1480+ len=1500                     (a later one)
//   gre 192.168.1.10 -> 198.51.100.7          ip/99 192.168.1.10 -> 198.51.100.7
//   arp 192.168.1.1 who-has 192.168.1.10      arp 192.168.1.10 is-at 02:00:c0:a8:01:0a
//   to=192.168.1.1
//
// Fields, in any order behind the endpoints: ttl tos len (IPv4 total length) ipid df no-df frag
// ("0+": offset in bytes, more follow) data (bytes behind the transport header) options
// (hexadecimal) reserved=1 (the bit beside DF) from-mac to-mac; seq ack mss; id icmp-seq mtu;
// whole, sum=0 (UDP without checksum), bad-sum (a wrong one). To be sent only: version, ihl
// (words), ip-sum=bad (of the IPv4 header). TCP flags are words joined by commas, or `none`;
// nothing: ack alone.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "support/packet_builder.h"

namespace postern::test {

// A packet as text: what a script line says of it, or all there is to say about a frame.
struct PacketText {
  std::string protocol;             // "udp", "icmp", "arp", "ip/99", ...
  std::string source, destination;  // addresses
  std::string source_port, destination_port;
  std::string kind;  // TCP flags, ICMP type, "who-has"
  std::map<std::string, std::string> fields;
  std::vector<PacketText> about;  // of an ICMP error: the quoted packet, or none
};

// Values may be variables ("$x"); they are not looked at.
Result<PacketText> read_packet_text(std::string_view line);
// Endpoints and kind, then the fields named in `shown` that it has.
std::string to_text(const PacketText& packet);

// Everything about a frame; of one that is no good, its protocol is "malformed".
PacketText describe(std::span<const uint8_t> frame);
// The frame in one line: endpoints, kind, and those fields that are not as usual.
std::string to_text(std::span<const uint8_t> frame);

// The frame that a text describes; every value must be given by now (no variables).
Result<Frame> build(const PacketText& packet);

}  // namespace postern::test
