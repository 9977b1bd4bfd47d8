// SPDX-License-Identifier: BSD-3-Clause
#include <utility>

#include "control/compile/lower.h"

namespace postern::compiler {

// In this order, since a later route of the same prefix replaces an earlier one: a connected
// network is never routed elsewhere, an own address never leaves. A route whose interface is
// disabled is left out: its destinations follow the next shorter prefix.
void compile_routes(const Lowering& lowering, Policy& policy) {
  std::vector<Route> routes;
  for (const config::Route& route : lowering.model().routes) {
    InterfaceId interface = route.interface.empty() ? lowering.find_network_of(route.via)
                                                    : lowering.find_interface(route.interface);
    if (interface == kNoInterface) continue;
    routes.push_back({route.to, interface, route.via, false});
  }
  for (size_t i = 0; i < policy.interfaces.size(); ++i) {
    for (const Prefix& own : policy.interfaces[i].addresses) {
      routes.push_back(
          {{own.network(), own.length}, static_cast<InterfaceId>(i), Ipv4Address(), true});
    }
  }
  for (const PolicyInterface& interface : policy.interfaces) {
    for (const Prefix& own : interface.addresses) {
      routes.push_back({{own.address, 32}, kGateway, Ipv4Address(), false});
    }
  }
  policy.routes = RouteTable(std::move(routes));
}

}  // namespace postern::compiler
