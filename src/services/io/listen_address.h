// SPDX-License-Identifier: BSD-3-Clause
// ListenAddress: where a service hears its clients, and opening a socket there. Thread: any.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/address.h"
#include "base/result.h"

namespace postern::io {

// An address of the gateway, and the kernel device that clients come in by, so that nothing is
// heard from elsewhere. Empty device: any.
struct ListenAddress {
  std::string device;
  Ipv4Address address;
  uint16_t port = 0;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

sockaddr_in socket_address(Ipv4Address address, uint16_t port);

// A socket that does not block, bound to the address and the device; the address need not be there
// yet. SOCK_STREAM ones listen. The caller owns the descriptor.
Result<int> open_listener(const ListenAddress& at, int socket_type);

}  // namespace postern::io
