// SPDX-License-Identifier: BSD-3-Clause
// RouteTable: longest-prefix match over IPv4, immutable after build. A trie of strides 16, 8, 8:
// one to three reads a lookup; 256 KiB plus 1 KiB for each /16 and /24 that has longer prefixes
// inside.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "dataplane/packet/packet.h"

namespace postern {

struct Route {
  Prefix to;
  InterfaceId interface = kNoInterface;  // kGateway: an address of the gateway itself
  Ipv4Address via;                       // unspecified: on link
  bool connected = false;                // from an interface address

  // Whose MAC address a packet to `destination` gets.
  constexpr Ipv4Address next_hop(Ipv4Address destination) const {
    return via.is_unspecified() ? destination : via;
  }
};

class RouteTable {
 public:
  RouteTable() = default;
  // Later routes of the same prefix replace earlier ones.
  explicit RouteTable(std::vector<Route> routes);

  // The route with the longest prefix that holds `address`, or nullptr.
  const Route* find(Ipv4Address address) const;
  // Shorter prefixes first, then by address; no prefix twice.
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
  std::vector<uint32_t> nodes_;
};

}  // namespace postern
