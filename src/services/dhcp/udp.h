// SPDX-License-Identifier: BSD-3-Clause
// UDP sockets that hear one device alone, and sending from one address among many of ours.
// Thread: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/address.h"
#include "base/result.h"

namespace postern::dhcp {

// A non-blocking socket on `port` of every address, bound to `device`; the caller closes it.
Result<int> open_udp(const std::string& device, uint16_t port);

// A non-blocking socket that gets a copy of every IPv4 packet with a datagram to `port` that comes
// in by `device`, whatever the kernel thinks of its addresses; the caller closes it. For a client
// that has none yet.
Result<int> open_udp_tap(const std::string& device, uint16_t port);
// The payload of such a packet; empty where it is none.
std::span<const uint8_t> udp_payload(std::span<const uint8_t> packet);

struct UdpTarget {
  Ipv4Address from;  // our address
  Ipv4Address to;
  uint16_t port = 0;
};
// Without waiting; a raw socket takes port 0. False: the kernel does not take it now.
bool send_udp(int fd, const UdpTarget& target, std::span<const uint8_t> payload);

}  // namespace postern::dhcp
