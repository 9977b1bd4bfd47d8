// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/learned.h"

#include <algorithm>

namespace postern {
namespace {

bool is_within(const Prefix& inner, const Prefix& outer) {
  return inner.length >= outer.length && outer.contains(inner.address);
}

bool meet(const Prefix& a, const Prefix& b) {
  return a.contains(b.address) || b.contains(a.address);
}

std::string network_text(const Prefix& prefix) {
  return to_text(Prefix{prefix.network(), prefix.length});
}

// Calls `take` with each network of an interface but `except`, until it returns true.
template <typename Take>
bool any_network(const config::Model& model, const Leases& leases, const std::string& except,
                 const Take& take) {
  for (const config::Interface& interface : model.interfaces) {
    if (!interface.enabled || interface.name == except) continue;
    for (const Prefix& own : interface.addresses) {
      if (take(interface, own)) return true;
    }
    auto lease = leases.find(interface.name);
    if (interface.dhcp && lease != leases.end() && take(interface, lease->second.address)) {
      return true;
    }
  }
  return false;
}

// Whether the file says where this network is, or another interface has it.
bool is_taken(const Prefix& network, const std::string& interface, const config::Model& model,
              const Leases& leases) {
  bool is_routed =
      std::any_of(model.routes.begin(), model.routes.end(), [&](const config::Route& route) {
        return route.to.length > 0 && is_within(network, route.to);
      });
  return is_routed ||
         any_network(model, leases, interface, [&](const config::Interface&, const Prefix& own) {
           return is_within(network, own);
         });
}

bool has_default(const config::Model& model) {
  return std::any_of(model.routes.begin(), model.routes.end(),
                     [](const config::Route& route) { return route.to.length == 0; });
}

// The leases in the order of the file, each with those before it that are in force.
template <typename Take>
void for_each_good(const config::Model& model, const Leases& leases, const Take& take) {
  Leases good;
  for (size_t i = 0; i < model.interfaces.size(); ++i) {
    const config::Interface& interface = model.interfaces[i];
    auto lease = leases.find(interface.name);
    if (!interface.dhcp || !interface.enabled || lease == leases.end()) continue;
    if (!objection_to(lease->second, interface.name, model, good).empty()) continue;
    good.insert(*lease);
    take(i, lease->second);
  }
}

}  // namespace

std::string objection_to(const dhcp::ClientLease& lease, const std::string& interface,
                         const config::Model& model, const Leases& others) {
  const Prefix& own = lease.address;
  std::string why;
  any_network(model, others, interface, [&](const config::Interface& other, const Prefix& network) {
    if (!meet(own, network)) return false;
    why = to_text(own) + " overlaps " + network_text(network) + " of interface " + other.name;
    return true;
  });
  for (const config::Route& route : model.routes) {
    if (route.to.length == 0 || !is_within(own, route.to)) continue;
    why = to_text(own) + " is within " + network_text(route.to) + ", which has a route";
  }
  for (const config::OneToOne& pair : model.nat.one_to_one) {
    if (pair.enabled && pair.external == own.address) {
      why = to_text(own.address) + " stands for " + to_text(pair.internal);
    }
  }
  return why;
}

config::Model with_leases(const config::Model& model, const Leases& leases) {
  config::Model out = model;
  std::vector<config::Route> learned;
  bool is_routed = has_default(model);
  for_each_good(model, leases, [&](size_t index, const dhcp::ClientLease& lease) {
    config::Interface& interface = out.interfaces[index];
    interface.addresses = {lease.address};
    bool has_way = is_routed;
    for (const dhcp::ClasslessRoute& route : lease.routes) {
      config::Route added;
      added.to = {Ipv4Address(route.network), route.length};
      added.via = Ipv4Address(route.via);
      added.interface = interface.name;
      if (route.length == 0 ? has_way : is_taken(added.to, interface.name, model, leases)) continue;
      is_routed = is_routed || route.length == 0;
      learned.push_back(std::move(added));
    }
  });
  // Of two routes to the same network the later one counts: those of the file, the first lease's.
  std::reverse(learned.begin(), learned.end());
  out.routes.insert(out.routes.begin(), learned.begin(), learned.end());
  return out;
}

std::vector<Ipv4Address> learned_servers(const config::Model& model, const Leases& leases) {
  std::vector<Ipv4Address> servers;
  for_each_good(model, leases, [&](size_t index, const dhcp::ClientLease& lease) {
    for (Ipv4Address server : lease.dns_servers) {
      const Prefix alone{server, 32};
      if (is_taken(alone, model.interfaces[index].name, model, leases)) continue;
      if (std::find(servers.begin(), servers.end(), server) == servers.end()) {
        servers.push_back(server);
      }
    }
  });
  return servers;
}

}  // namespace postern
