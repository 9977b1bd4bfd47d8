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
  static constexpr uint32_t kChild = 0x80000000;  // of an entry: the rest is the place of a node

  RouteTable() = default;
  // Later routes of the same prefix replace earlier ones.
  explicit RouteTable(std::vector<Route> routes);

  // The route with the longest prefix that holds `address`, or nullptr.
  [[gnu::always_inline]] const Route* find(Ipv4Address address) const {
    if (nodes_.empty()) return nullptr;
    uint32_t value = nodes_[address.number >> 16];
    if (value & kChild) [[unlikely]] {
      value = nodes_[(value & ~kChild) + (address.number >> 8 & 0xFF)];
      if (value & kChild) value = nodes_[(value & ~kChild) + (address.number & 0xFF)];
    }
    return value == 0 ? nullptr : &routes_[value - 1];
  }
  // Shorter prefixes first, then by address; no prefix twice.
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
  std::vector<uint32_t> nodes_;
};

}  // namespace postern
