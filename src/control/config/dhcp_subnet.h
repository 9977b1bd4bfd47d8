// SPDX-License-Identifier: BSD-3-Clause
// What follows from a DHCP scope and its interface together.
#pragma once

#include <optional>
#include <string>

#include "control/config/model.h"

namespace postern::config {

// The network of a scope: its own, else that of the interface's first address. Empty: there is
// none. `interface` may be null.
inline std::optional<Prefix> subnet_of(const DhcpScope& scope, const Interface* interface) {
  if (scope.subnet) return scope.subnet;
  if (interface == nullptr || interface->addresses.empty()) return std::nullopt;
  const Prefix& first = interface->addresses.front();
  return Prefix{first.network(), first.length};
}

inline std::string name_of(const DhcpScope& scope) {
  if (!scope.name.empty()) return scope.name;
  if (!scope.interface.empty()) return scope.interface;
  return scope.subnet ? to_text(*scope.subnet) : "relayed";
}

// The static route that leads to the clients of a relayed scope; nullptr: none.
inline const Route* relay_route_of(const DhcpScope& scope, const Model& model) {
  const Route* best = nullptr;
  for (const Route& route : model.routes) {
    bool holds = scope.subnet && route.to.contains(scope.subnet->network());
    if (holds && (best == nullptr || route.to.length > best->to.length)) best = &route;
  }
  return best;
}

// The interface by which the clients of a relayed scope are reached: that of its route. nullptr:
// there is none, or it is external.
inline const Interface* relay_interface_of(const DhcpScope& scope, const Model& model) {
  const Route* best = relay_route_of(scope, model);
  if (best == nullptr) return nullptr;
  for (const Interface& interface : model.interfaces) {
    bool is_it = interface.name == best->interface;
    for (const Prefix& own : interface.addresses)
      is_it = is_it || (best->interface.empty() && own.contains(best->via));
    if (!is_it || !interface.enabled) continue;
    return interface.zone == Zone::external ? nullptr : &interface;
  }
  return nullptr;
}

// Where messages of this scope's clients come in; nullptr: nowhere.
inline const Interface* server_interface_of(const DhcpScope& scope, const Model& model) {
  if (scope.interface.empty()) return relay_interface_of(scope, model);
  for (const Interface& interface : model.interfaces) {
    if (interface.name == scope.interface && interface.enabled) return &interface;
  }
  return nullptr;
}

}  // namespace postern::config
