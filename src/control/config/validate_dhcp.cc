// SPDX-License-Identifier: BSD-3-Clause
// services.dhcp: scopes lie in the networks that they serve, and nothing is promised twice.
#include <algorithm>
#include <map>
#include <set>

#include "control/config/dhcp_subnet.h"
#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr size_t kAddressesMax = 262'144;  // of one scope
constexpr size_t kRelaysMax = 64;          // the same

// Where an own address lies in the subnet; nullptr when none does.
const Prefix* own_in(const Interface& interface, const Prefix& subnet) {
  for (const Prefix& own : interface.addresses) {
    if (own.length == subnet.length && subnet.contains(own.address)) return &own;
  }
  return nullptr;
}

// The interface of the scope where all is well with it.
const Interface* validate_place(Check& check, const DhcpScope& scope, const std::string& path) {
  if (scope.interface.empty()) {
    if (!scope.subnet) {
      check.report.error_at(path, "needs an interface, or the subnet of a relay's clients");
      return nullptr;
    }
    const Interface* there = check.network_of(scope.subnet->network());
    if (there != nullptr) {
      check.report.error_at(path + ".subnet", to_text(*scope.subnet) + " is on interface " +
                                                  there->name + "; add interface: " + there->name);
    } else if (relay_interface_of(scope, check.model) == nullptr) {
      check.report.error_at(path + ".subnet", "no route leads to " + to_text(*scope.subnet) +
                                                  " by an interface that is not external");
    }
    return nullptr;
  }
  const Interface* interface = check.require_interface(scope.interface, path + ".interface");
  if (interface == nullptr) return nullptr;
  if (interface->zone == Zone::external) {
    check.report.error_at(path + ".interface",
                          interface->name + " is external; the outside is never answered");
    return nullptr;
  }
  auto subnet = subnet_of(scope, interface);
  if (!subnet) {
    check.report.error_at(path + ".interface", interface->name + " has no address");
  } else if (own_in(*interface, *subnet) == nullptr) {
    check.report.error_at(path + ".subnet",
                          to_text(*subnet) + " is no network of interface " + interface->name);
  }
  return interface;
}

void validate_ranges(Check& check, const DhcpScope& scope, const Prefix& subnet,
                     const std::string& path) {
  size_t total = 0;
  for (size_t i = 0; i < scope.ranges.size(); ++i) {
    const AddressRange& range = scope.ranges[i];
    std::string place = item_path(path + ".range", i, scope.ranges.size());
    if (!subnet.contains(range.first) || !subnet.contains(range.last)) {
      check.report.error_at(place, to_text(range) + " is not inside " + to_text(subnet));
      continue;
    }
    total += size_t{range.last.number} - range.first.number + 1;
    for (size_t j = 0; j < i; ++j) {
      const AddressRange& other = scope.ranges[j];
      if (range.last < other.first || other.last < range.first) continue;
      check.report.error_at(place, to_text(range) + " overlaps " + to_text(other));
      break;
    }
  }
  if (total > kAddressesMax) {
    check.report.error_at(path + ".range",
                          "has more than " + std::to_string(kAddressesMax) + " addresses");
  }
  for (size_t i = 0; i < scope.excluded.size(); ++i) {
    const AddressRange& hole = scope.excluded[i];
    bool is_of_use = std::any_of(
        scope.ranges.begin(), scope.ranges.end(),
        [&](const AddressRange& r) { return hole.first <= r.last && r.first <= hole.last; });
    if (!is_of_use) {
      check.report.warning_at(item_path(path + ".exclude", i, scope.excluded.size()),
                              to_text(hole) + " is in no range, so it excludes nothing");
    }
  }
  if (scope.ranges.empty() && scope.reservations.empty()) {
    check.report.warning_at(path, "has neither a range nor reservations, so it gives nothing");
  }
}

void validate_relays(Check& check, const DhcpScope& scope, const std::string& path) {
  const Interface* own = server_interface_of(scope, check.model);
  if (scope.relays.size() > kRelaysMax) {
    check.report.error_at(path + ".relays",
                          "lists more than " + std::to_string(kRelaysMax) + " addresses");
  }
  for (size_t i = 0; i < scope.relays.size(); ++i) {
    Ipv4Address relay = scope.relays[i];
    std::string place = item_path(path + ".relays", i, scope.relays.size());
    std::string_view fault = host_fault(relay);
    const Interface* there = check.network_of(relay);
    if (!fault.empty()) {
      check.report.error_at(place, to_text(relay) + " " + std::string(fault));
    } else if (check.owner_of(relay) != nullptr) {
      check.report.error_at(place, to_text(relay) + " is the gateway's own");
    } else if (own != nullptr && there != nullptr && there != own) {
      check.report.error_at(place, to_text(relay) + " is on interface " + there->name +
                                       ", the clients come by " + own->name);
    }
  }
}

// Who it is for, as one text for comparison; empty when it does not say
// exactly that, which was reported.
std::string key_of(const DhcpReservation& item) {
  std::vector<std::string> keys;
  if (item.mac) keys.push_back("the MAC " + to_text(*item.mac));
  if (!item.client_id.empty()) {
    keys.push_back("this client identifier");
    keys.back().append(item.client_id.begin(), item.client_id.end());
  }
  if (!item.host_name.empty()) keys.push_back("the host name " + item.host_name);
  return keys.size() == 1 ? keys[0] : "";
}

void validate_reservations(Check& check, const DhcpScope& scope, const Prefix& subnet,
                           const std::string& path) {
  std::set<Ipv4Address> addresses;
  std::set<std::string> keys, names;
  for (size_t i = 0; i < scope.reservations.size(); ++i) {
    const DhcpReservation& item = scope.reservations[i];
    std::string place = join(path + ".reservations", i);
    std::string key = key_of(item);
    if (!key.empty() && !keys.insert(key).second) {
      check.report.error_at(place, key.substr(0, key.starts_with("this") ? 22 : key.size()) +
                                       " has a reservation already");
    }
    if (!item.name.empty() && !names.insert(item.name).second) {
      check.report.error_at(place + ".name", item.name + " is reserved already");
    }
    std::string at = place + ".address";
    std::string address = to_text(item.address);
    bool is_edge =
        subnet.length < 31 && (item.address == subnet.network() || item.address == subnet.last());
    if (!subnet.contains(item.address)) {
      check.report.error_at(at, address + " is not inside " + to_text(subnet));
    } else if (is_edge) {
      check.report.error_at(at, address + " is no host's address in " + to_text(subnet));
    } else if (check.owner_of(item.address) != nullptr) {
      check.report.error_at(at, address + " is the gateway's own");
    } else if (!addresses.insert(item.address).second) {
      check.report.error_at(at, address + " is reserved already");
    }
  }
}

void validate_class(Check& check, const DhcpClass& item, const std::string& path) {
  bool matches = !item.vendor_class.empty() || !item.user_class.empty() ||
                 !item.architectures.empty() || !item.mac_prefix.empty() ||
                 !item.circuit_id.empty() || !item.remote_id.empty();
  if (!matches) {
    check.report.error_at(path,
                          "says nothing of its clients; add vendor_class, user_class, "
                          "architecture, mac_prefix, circuit_id or remote_id");
  }
}

}  // namespace

void validate_dhcp(Check& check) {
  if (!check.model.services.dhcp) return;
  const Dhcp& dhcp = *check.model.services.dhcp;
  const std::string root = "services.dhcp";
  std::set<std::string> names;
  for (size_t i = 0; i < dhcp.classes.size(); ++i) {
    std::string path = join(root + ".classes", i);
    validate_class(check, dhcp.classes[i], path);
    if (!names.insert(dhcp.classes[i].name).second) {
      check.report.error_at(path + ".name",
                            "two classes are called " + quote(dhcp.classes[i].name));
    }
  }
  std::vector<Prefix> subnets;
  for (size_t i = 0; i < dhcp.scopes.size(); ++i) {
    const DhcpScope& scope = dhcp.scopes[i];
    std::string path = join(root + ".scopes", i);
    const Interface* interface = validate_place(check, scope, path);
    auto subnet = subnet_of(scope, interface);
    if (!subnet) continue;
    for (const Prefix& other : subnets) {
      if (!other.contains(subnet->address) && !subnet->contains(other.address)) continue;
      check.report.error_at(path, to_text(*subnet) + " is served by another scope already");
      break;
    }
    subnets.push_back(*subnet);
    validate_ranges(check, scope, *subnet, path);
    validate_relays(check, scope, path);
    validate_reservations(check, scope, *subnet, path);
  }
}

}  // namespace postern::config
