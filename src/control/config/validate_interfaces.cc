// SPDX-License-Identifier: BSD-3-Clause
// interfaces, routes.
#include <algorithm>
#include <map>
#include <set>

#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr std::string_view kReserved[] = {"gateway", "any", "default", "all", "lo"};
constexpr uint32_t kTcpIpHeaders = 40;

std::string path_of(const Interface& interface) {
  return join("interfaces", interface.name);
}

std::string port_key(const Port& port) {
  std::string device = port.name.substr(0, port.name.find(','));
  return (port.kind == PortKind::pci      ? "pci:"
          : port.kind == PortKind::kernel ? "kernel:"
                                          : "vdev:") +
         device;
}

// What keeps `own` from being an address of the gateway.
std::string address_fault(const Prefix& own) {
  if (std::string_view fault = host_fault(own.address); !fault.empty()) return std::string(fault);
  if (own.length < 8) return "has a prefix shorter than 8";
  if (own.length < 31 && own.address == own.network()) {
    return "is the address of the network " + to_text(own);
  }
  if (own.is_directed_broadcast(own.address)) {
    return "is the broadcast address of " + to_text(Prefix{own.network(), own.length});
  }
  return "";
}

void validate_addresses(Check& check, const Interface& interface) {
  std::string path = path_of(interface) + ".address";
  for (size_t i = 0; i < interface.addresses.size(); ++i) {
    const Prefix& own = interface.addresses[i];
    std::string place = item_path(path, i, interface.addresses.size());
    if (std::string fault = address_fault(own); !fault.empty()) {
      check.report.error_at(place, to_text(own.address) + " " + fault);
    }
    for (size_t j = 0; j < i; ++j) {
      if (interface.addresses[j].address == own.address) {
        check.report.error_at(place, to_text(own.address) + " is listed twice");
        break;
      }
    }
  }
  bool bare = interface.enabled && interface.addresses.empty() && !interface.dhcp;
  if (bare && check.parsed.interfaces_sound) {
    check.report.warning_at(path_of(interface), "has no address, so nothing is routed through it");
  }
}

// The first address of `interface` whose network meets that of `own`.
const Prefix* find_overlap(const Interface& interface, const Prefix& own) {
  for (const Prefix& other : interface.addresses) {
    if (other.contains(own.address) || own.contains(other.address)) return &other;
  }
  return nullptr;
}

// Two networks that overlap on different wires: one of them could never be reached. `interface` is
// compared with those before it in the file.
void validate_overlap(Check& check, const Interface& interface) {
  for (size_t i = 0; i < interface.addresses.size() && interface.enabled; ++i) {
    const Prefix& own = interface.addresses[i];
    for (const Interface* other = check.model.interfaces.data(); other != &interface; ++other) {
      const Prefix* overlap = other->enabled ? find_overlap(*other, own) : nullptr;
      if (!overlap) continue;
      std::string text =
          own.address == overlap->address
              ? to_text(own.address) + " is an address of interface " + other->name + " as well"
              : to_text(own) + " overlaps " + to_text(*overlap) + " of interface " + other->name;
      std::string path = path_of(interface) + ".address";
      check.report.error_at(item_path(path, i, interface.addresses.size()), std::move(text));
      break;
    }
  }
}

void validate_port(Check& check, const Interface& interface,
                   std::map<std::string, std::string_view>& ports) {
  const Port& port = interface.port;
  if (port.kind != PortKind::kernel && port.driver != KernelDriver::automatic) {
    check.report.error_at(path_of(interface) + ".driver", "is for kernel ports only");
  }
  if (!interface.enabled || port.name.empty()) return;
  auto [first, inserted] = ports.emplace(port_key(port), interface.name);
  if (!inserted) {
    check.report.error_at(
        path_of(interface) + ".port",
        first->first + " is the port of interface " + std::string(first->second) + " as well");
  }
}

void validate_host_device(Check& check, const Interface& interface,
                          std::map<std::string, std::string_view>& devices) {
  if (!interface.enabled) return;
  std::string device =
      interface.host_device.empty() ? "gw-" + interface.name : interface.host_device;
  std::string path = path_of(interface) + ".host_device";
  auto [first, inserted] = devices.emplace(device, interface.name);
  if (!inserted) {
    check.report.error_at(path, quote(device) + " is the host device of interface " +
                                    std::string(first->second) + " as well");
  }
  for (const Interface& other : check.model.interfaces) {
    if (other.port.kind != PortKind::kernel || other.port.name != device) continue;
    check.report.error_at(path, quote(device) + " is the port of interface " + other.name);
  }
}

void validate_neighbors(Check& check, const Interface& interface) {
  for (const Neighbor& neighbor : interface.neighbors) {
    std::string text = to_text(neighbor.address);
    std::string path = join(path_of(interface) + ".neighbors", text);
    auto network = std::find_if(interface.addresses.begin(), interface.addresses.end(),
                                [&](const Prefix& own) { return own.contains(neighbor.address); });
    if (network == interface.addresses.end()) {
      check.report.error_at(path, text + " is on no network of interface " + interface.name);
    } else if (check.owner_of(neighbor.address)) {
      check.report.error_at(path, text + " is an address of the gateway");
    } else if (network->is_directed_broadcast(neighbor.address)) {
      check.report.error_at(path, text + " is a broadcast address");
    }
  }
}

// A rule may name interfaces and zones; where both have one name they must mean the same.
void validate_name(Check& check, const Interface& interface) {
  if (std::find(std::begin(kReserved), std::end(kReserved), interface.name) !=
      std::end(kReserved)) {
    check.report.error(interface.mark, path_of(interface),
                       quote(interface.name) + " has a meaning of its own; choose another name");
  }
  auto zone = find_zone(interface.name);
  if (!zone) return;
  for (const Interface& other : check.model.interfaces) {
    bool member = other.zone == *zone;
    if (member == (&other == &interface)) continue;
    check.report.error(
        interface.mark, path_of(interface),
        "is called like zone " + interface.name + ", so it must be the only interface in it");
    return;
  }
}

void validate_interface(Check& check, const Interface& interface) {
  std::string path = path_of(interface);
  validate_name(check, interface);
  validate_addresses(check, interface);
  if (check.parsed.interfaces_sound) validate_neighbors(check, interface);
  check.require_items(ItemKind::address, interface.spoof_allow, path + ".spoof_allow");
  check.require_items(ItemKind::address, interface.windows_sharing_trusted,
                      path + ".windows_sharing.trusted");
  bool clamped = interface.mss_clamp != kMssClampAuto && interface.mss_clamp != kMssClampOff;
  if (clamped && interface.mss_clamp + kTcpIpHeaders > interface.mtu) {
    check.report.error_at(path + ".mss_clamp", std::to_string(interface.mss_clamp) +
                                                   " exceeds the MTU less 40 bytes, " +
                                                   std::to_string(interface.mtu - kTcpIpHeaders));
  }
}

void validate_route(Check& check, const Route& route, const std::string& path) {
  const Interface* on = check.network_of(route.via);
  std::string via = to_text(route.via);
  if (!route.interface.empty()) {
    const Interface* named = check.require_interface(route.interface, path + ".interface");
    if (!named) return;
    if (!named->enabled) {
      return check.report.error_at(path + ".interface",
                                   "interface " + named->name + " is disabled");
    }
    if (on != named) {
      return check.report.error_at(path + ".via", via + " is on no network of " + named->name);
    }
  }
  if (!on) {
    return check.report.error_at(path + ".via", via + " is on no network of an interface");
  }
  if (check.owner_of(route.via)) {
    return check.report.error_at(path + ".via", via + " is an address of the gateway itself");
  }
  for (const Prefix& own : on->addresses) {
    if (!own.contains(route.via)) continue;
    if (own.is_directed_broadcast(route.via) || (own.length < 31 && route.via == own.network())) {
      return check.report.error_at(path + ".via", via + " is not the address of a host");
    }
  }
  for (const Interface& interface : check.model.interfaces) {
    for (const Prefix& own : interface.addresses) {
      bool same = own.length == route.to.length && own.network() == route.to.network();
      if (same && interface.enabled && route.to.length > 0) {
        check.report.error_at(path + ".to", to_text(route.to) + " is the network of interface " +
                                                interface.name + " itself");
      }
    }
  }
}

}  // namespace

void validate_interfaces(Check& check) {
  std::map<std::string, std::string_view> ports;
  std::map<std::string, std::string_view> devices;
  std::map<MacAddress, std::string_view> macs;
  bool any_enabled = false;
  for (const Interface& interface : check.model.interfaces) {
    any_enabled = any_enabled || interface.enabled;
    validate_interface(check, interface);
    validate_overlap(check, interface);
    validate_port(check, interface, ports);
    validate_host_device(check, interface, devices);
    if (!interface.mac || !interface.enabled) continue;
    auto [first, inserted] = macs.emplace(*interface.mac, interface.name);
    if (!inserted) {
      check.report.warning_at(path_of(interface) + ".mac",
                              "interface " + std::string(first->second) + " has the same address");
    }
  }
  if (!any_enabled && !check.model.interfaces.empty()) {
    check.report.error_at("interfaces", "all interfaces are disabled");
  }
}

void validate_routes(Check& check) {
  std::set<Prefix> seen;
  for (size_t i = 0; i < check.model.routes.size(); ++i) {
    if (!check.parsed.routes_sound[i]) continue;
    const Route& route = check.model.routes[i];
    std::string path = join("routes", i);
    if (!seen.insert(route.to).second) {
      check.report.error_at(path + ".to", "a route to " + to_text(route.to) + " is listed already");
    }
    bool special =
        route.to.length > 0 && (route.to.address.is_multicast() || route.to.address.is_loopback());
    if (special) check.report.error_at(path + ".to", to_text(route.to) + " cannot be routed");
    validate_route(check, route, path);
  }
}

}  // namespace postern::config
