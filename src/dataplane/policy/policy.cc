// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/policy/policy.h"

namespace postern {

// The compiler routes every own address as a /32 to kGateway.
bool Policy::is_own_address(Ipv4Address address) const {
  const Route* route = routes.find(address);
  return route != nullptr && route->interface == kGateway;
}

bool Policy::is_local_broadcast(Ipv4Address address) const {
  if (address.is_limited_broadcast()) return true;
  const Route* route = routes.find(address);
  return route != nullptr && route->connected && route->to.is_directed_broadcast(address);
}

bool Policy::may_come_from(Ipv4Address source, InterfaceId in) const {
  if (in == kGateway) return is_own_address(source);
  if (in >= interfaces.size() || !interfaces[in].exists) return false;
  if (interfaces[in].asks_dhcp && interfaces[in].addresses.empty()) return false;  // not yet
  const Route* route = routes.find(source);
  if (route != nullptr && route->interface == kGateway) return false;
  // Addresses that stand for inside hosts are ours as well: nobody on a wire may claim them.
  if (nat.find_external_address(source) != nullptr) return false;
  if (is_local_broadcast(source)) return false;  // RFC 1812 5.3.7
  // The default route is a route like others: what it leads to belongs behind its interface.
  if (route != nullptr && route->interface == in) return true;
  // Inside networks never come from outside, whatever spoof_allow says.
  bool is_outside = interfaces[in].zone == Zone::external;
  bool belongs_inside = route != nullptr && route->to.length > 0 &&
                        interfaces[route->interface].zone != Zone::external;
  return !(is_outside && belongs_inside) && interfaces[in].spoof_allow.contains(source);
}

bool Policy::answers_arp(Ipv4Address address, InterfaceId on) const {
  if (on >= interfaces.size() || !interfaces[on].exists) return false;
  for (const Prefix& own : interfaces[on].addresses) {
    if (own.address == address) return true;
  }
  const NatPolicy::ExternalAddress* external = nat.find_external_address(address);
  return external != nullptr && external->answers_arp && external->on == on;
}

// An address of the interface in the destination's network, else the interface's first one, else
// (an interface without addresses) the first one of the gateway.
Ipv4Address Policy::source_on(InterfaceId out, Ipv4Address destination) const {
  if (out < interfaces.size() && !interfaces[out].addresses.empty()) {
    for (const Prefix& own : interfaces[out].addresses) {
      if (own.contains(destination)) return own.address;
    }
    return interfaces[out].addresses.front().address;
  }
  for (const PolicyInterface& interface : interfaces) {
    if (interface.exists && !interface.addresses.empty())
      return interface.addresses.front().address;
  }
  return Ipv4Address();
}

// cold: by the compiler, before the policy is published.
void Policy::allocate_counters() {
  rule_counters.clear();
  for (unsigned i = 0; i < shards.workers(); ++i) {
    rule_counters.emplace_back(rules.size() + 1);
  }
}

}  // namespace postern
