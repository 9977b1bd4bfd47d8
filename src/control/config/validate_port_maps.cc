// SPDX-License-Identifier: BSD-3-Clause
// nat.port_maps: services with definite ports, targets that exist, no two maps for one endpoint.
#include <algorithm>
#include <tuple>

#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;

// One range of external ports that a map claims.
struct Claim {
  std::string_view on;
  std::optional<Ipv4Address> listen;
  uint8_t protocol;
  PortRange ports;
  size_t map;
};

std::string ports_text(const Claim& claim) {
  std::string out = claim.protocol == kTcp ? "tcp/" : "udp/";
  out += std::to_string(claim.ports.first);
  if (claim.ports.last != claim.ports.first) out += "-" + std::to_string(claim.ports.last);
  return out;
}

// What keeps `match` from being mapped; empty when nothing does.
std::string_view service_fault(const ServiceMatch& match) {
  if (match.any_protocol || (match.protocol != kTcp && match.protocol != kUdp)) {
    return "a port map carries tcp and udp ports only; other protocols need one_to_one";
  }
  if (match.source != PortRange{}) return "a port map cannot choose by source port";
  if (match.destination.first == 0) return "a port map needs definite ports from 1 up, as tcp/80";
  return {};
}

void validate_services(Check& check, size_t index, std::vector<Claim>& claims) {
  const PortMap& map = check.model.nat.port_maps[index];
  std::string path = join("nat.port_maps", index);
  check.require_items(ItemKind::service, map.service, path + ".service");
  auto matches = check.resolver.services(map.service);
  if (!matches) return;
  for (const ServiceMatch& match : *matches) {
    if (std::string_view fault = service_fault(match); !fault.empty()) {
      return check.report.error_at(path + ".service", std::string(fault));
    }
  }
  for (const ServiceMatch& match : *matches) {
    if (map.enabled) {
      claims.push_back({map.on, map.listen, match.protocol, match.destination, index});
    }
    if (!map.to_port) continue;
    if (match.destination != matches->front().destination) {
      return check.report.error_at(path + ".to",
                                   "one port inside for several services; use a map for each");
    }
    int shift = *map.to_port - match.destination.first;
    if (match.destination.last + shift > 65535) {
      return check.report.error_at(
          path + ".to", "port " + std::to_string(match.destination.last) + " would become " +
                            std::to_string(match.destination.last + shift) + ", beyond 65535");
    }
  }
}

void validate_listen(Check& check, const PortMap& map, const Interface& on,
                     const std::string& path) {
  if (!map.listen) {
    if (on.addresses.empty() && !on.dhcp && on.enabled) {
      check.report.error_at(path + ".on", "interface " + on.name + " has no address to listen on");
    }
    return;
  }
  std::string listen = to_text(*map.listen);
  if (std::string_view fault = host_fault(*map.listen); !fault.empty()) {
    return check.report.error_at(path + ".listen", listen + " " + std::string(fault));
  }
  const Interface* network = check.network_of(*map.listen);
  if (network && network != &on) {
    check.report.error_at(path + ".listen", listen + " is on the network of interface " +
                                                network->name + ", not of " + on.name);
  } else if (!network && on.enabled) {
    check.report.warning_at(path + ".listen", listen + " is on no network of " + on.name +
                                                  "; it works if the provider routes it here");
  }
  for (const OneToOne& pair : check.model.nat.one_to_one) {
    if (pair.enabled && map.enabled && pair.external == *map.listen) {
      check.report.error_at(path + ".listen", listen + " belongs to " + pair.name + " as a whole");
    }
  }
}

// A map whose target is a broadcast address or its own outside would answer nobody.
void validate_target(Check& check, const PortMap& map, const std::string& path) {
  std::string to = to_text(map.to);
  if (std::string_view fault = host_fault(map.to); !fault.empty()) {
    return check.report.error_at(path + ".to", to + " " + std::string(fault));
  }
  const Interface* network = check.network_of(map.to);
  for (const Prefix& own : network ? network->addresses : std::vector<Prefix>()) {
    bool not_host = own.length < 31 && (map.to == own.network() || map.to == own.last());
    if (own.contains(map.to) && not_host) {
      return check.report.error_at(path + ".to", to + " is not the address of a host");
    }
  }
}

// Sorted by port, a claim can only meet those before it whose range reaches it.
void validate_overlap(Check& check, std::vector<Claim>& claims) {
  auto key = [](const Claim& c) { return std::tuple(c.on, c.protocol, c.ports.first, c.map); };
  std::sort(claims.begin(), claims.end(),
            [&](const Claim& a, const Claim& b) { return key(a) < key(b); });
  std::vector<const Claim*> open;
  std::vector<bool> reported(check.model.nat.port_maps.size(), false);
  for (const Claim& claim : claims) {
    std::erase_if(open, [&](const Claim* other) {
      return other->on != claim.on || other->protocol != claim.protocol ||
             other->ports.last < claim.ports.first;
    });
    for (const Claim* other : open) {
      bool apart = other->listen && claim.listen && *other->listen != *claim.listen;
      size_t later = std::max(other->map, claim.map);
      if (apart || other->map == claim.map || reported[later]) continue;
      reported[later] = true;
      const Claim& first = other->map < claim.map ? *other : claim;
      check.report.error_at(join("nat.port_maps", later) + ".service",
                            "overlaps " + ports_text(first) + " of " +
                                check.model.nat.port_maps[first.map].name + " on " +
                                std::string(claim.on));
    }
    open.push_back(&claim);
  }
}

}  // namespace

void validate_port_maps(Check& check) {
  std::vector<Claim> claims;
  for (size_t i = 0; i < check.model.nat.port_maps.size(); ++i) {
    const PortMap& map = check.model.nat.port_maps[i];
    std::string path = join("nat.port_maps", i);
    const Interface* on = map.on.empty() ? nullptr : check.require_interface(map.on, path + ".on");
    check.require_items(ItemKind::address, map.allow_from, path + ".allow_from");
    validate_services(check, i, claims);
    if (on && check.parsed.interfaces_sound) validate_listen(check, map, *on, path);
    if (!map.to.is_unspecified()) validate_target(check, map, path);
  }
  validate_overlap(check, claims);
}

}  // namespace postern::config
