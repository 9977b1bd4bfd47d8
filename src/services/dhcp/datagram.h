// SPDX-License-Identifier: BSD-3-Clause
// Datagrams of the DHCP server that leave by the kernel, from one address among many of ours.
// Thread: any.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <span>

#include "base/address.h"

namespace postern::dhcp {

sockaddr_in socket_address(Ipv4Address address, uint16_t port);

struct DatagramEnd {
  Ipv4Address address;
  uint16_t port = 0;
};
// Without waiting. False: the kernel refused.
bool send_from(int fd, Ipv4Address from, DatagramEnd to, std::span<const uint8_t> payload);

}  // namespace postern::dhcp
