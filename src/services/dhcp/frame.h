// SPDX-License-Identifier: BSD-3-Clause
// Whole Ethernet frames for clients that have no address yet and for the probes of addresses (RFC
// 894, RFC 826, RFC 768, RFC 5227). Thread: any; pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/address.h"

namespace postern::dhcp {

struct UdpEnds {
  MacAddress from_mac;
  MacAddress to_mac;
  Ipv4Address from;
  Ipv4Address to;
  uint16_t from_port = 0;
  uint16_t to_port = 0;
};

// Ethernet, IPv4 and UDP in front of `payload`, with checksums.
std::vector<uint8_t> udp_frame(const UdpEnds& ends, std::span<const uint8_t> payload);

// A broadcast request for the MAC of `target`, padded to the shortest frame.
std::vector<uint8_t> arp_request(const MacAddress& from_mac, Ipv4Address from, Ipv4Address target);

// RFC 1071, from a sum so far.
uint32_t add_sum(std::span<const uint8_t> bytes, uint32_t sum);
uint16_t fold_sum(uint32_t sum);

}  // namespace postern::dhcp
