// SPDX-License-Identifier: BSD-3-Clause
// nat: ports, source translation, one-to-one.
#include <algorithm>
#include <map>
#include <set>

#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr unsigned kPortsMin = 1024;          // each worker needs a slice of its own
constexpr uint64_t kPoolAddressesMax = 1024;  // sizes the table of external addresses

void validate_ports(Check& check) {
  const Nat& nat = check.model.nat;
  if (nat.last_port - nat.first_port + 1u < kPortsMin) {
    check.report.error_at("nat.ports", "has fewer than " + std::to_string(kPortsMin) + " ports");
  }
  std::set<uint16_t> seen;
  for (size_t i = 0; i < nat.reserved_ports.size(); ++i) {
    if (seen.insert(nat.reserved_ports[i]).second) continue;
    check.report.warning_at(item_path("nat.reserved_ports", i, nat.reserved_ports.size()),
                            std::to_string(nat.reserved_ports[i]) + " is listed twice");
  }
}

template <typename T>
void validate_names(Check& check, const std::vector<T>& entries, const std::string& path) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (seen.insert(entries[i].name).second) continue;
    check.report.error_at(join(path, i) + ".name", quote(entries[i].name) + " is in use already");
  }
}

// External addresses of one-to-one entries, with the name of the entry.
using Externals = std::map<Ipv4Address, std::string_view>;

void validate_pool_range(Check& check, const SourceNat& source, const AddressRange& range,
                         const Externals& externals, const std::string& path) {
  for (Ipv4Address end : {range.first, range.last}) {
    if (std::string_view fault = host_fault(end); !fault.empty()) {
      return check.report.error_at(path, to_text(end) + " " + std::string(fault));
    }
  }
  auto taken = externals.lower_bound(range.first);
  if (taken != externals.end() && taken->first <= range.last) {
    check.report.error_at(
        path, to_text(taken->first) + " belongs to " + std::string(taken->second) + " already");
  }
  for (const Interface& interface : check.model.interfaces) {
    if (!interface.enabled) continue;
    bool out = std::find(source.out.begin(), source.out.end(), interface.name) != source.out.end();
    for (const Prefix& own : interface.addresses) {
      bool touches = range.first <= own.last() && own.network() <= range.last;
      if (!touches) continue;
      if (!out) {
        check.report.error_at(path, to_text(range) + " touches the network of interface " +
                                        interface.name + ", which out does not name");
      } else if (own.length < 31 && (range.contains(own.network()) || range.contains(own.last()))) {
        check.report.error_at(path, to_text(range) + " holds the network or broadcast address of " +
                                        to_text(Prefix{own.network(), own.length}));
      }
    }
  }
}

void validate_pool(Check& check, const SourceNat& source, const Externals& externals,
                   const std::string& path) {
  if (source.action != SourceAction::pool) {
    if (!source.pool.empty()) check.report.error_at(path + ".pool", "needs action pool");
    return;
  }
  if (source.pool.empty()) return check.report.error_at(path, "action pool needs the key 'pool'");
  auto ranges = check.resolver.addresses(source.pool);
  if (!ranges) return;
  uint64_t count = 0;
  for (const AddressRange& range : *ranges) {
    count += uint64_t{range.last.number} - range.first.number + 1;
  }
  if (count > kPoolAddressesMax) {
    return check.report.error_at(path + ".pool", "has " + std::to_string(count) +
                                                     " addresses, more than " +
                                                     std::to_string(kPoolAddressesMax));
  }
  if (!check.parsed.interfaces_sound) return;
  for (const AddressRange& range : *ranges) {
    validate_pool_range(check, source, range, externals, path + ".pool");
  }
}

void validate_source(Check& check, const SourceNat& source, const Externals& externals,
                     const std::string& path) {
  check.require_interfaces(source.in, path + ".in");
  for (size_t i = 0; i < source.out.size(); ++i) {
    std::string place = item_path(path + ".out", i, source.out.size());
    const Interface* out = check.require_interface(source.out[i], place);
    bool nameless = out && out->enabled && out->addresses.empty() && !out->dhcp;
    if (nameless && source.action == SourceAction::masquerade && check.parsed.interfaces_sound) {
      check.report.error_at(place, "interface " + out->name + " has no address to hide behind");
    }
  }
  check.require_items(ItemKind::address, source.from, path + ".from");
  check.require_items(ItemKind::address, source.to, path + ".to");
  check.require_items(ItemKind::service, source.service, path + ".service");
  check.require_items(ItemKind::address, source.pool, path + ".pool");
  validate_pool(check, source, externals, path);
  if (source.action == SourceAction::none) {
    if (source.mapping) check.report.error_at(path + ".mapping", "has no meaning with action none");
    if (source.filtering) {
      check.report.error_at(path + ".filtering", "has no meaning with action none");
    }
  }
}

void validate_external(Check& check, const OneToOne& pair, const std::string& path) {
  const Interface* on = check.find_interface(pair.on);
  std::string external = to_text(pair.external);
  if (std::string_view fault = host_fault(pair.external); !fault.empty()) {
    return check.report.error_at(path + ".external", external + " " + std::string(fault));
  }
  if (const Interface* owner = check.owner_of(pair.external)) {
    return check.report.error_at(path + ".external", external + " is an address of interface " +
                                                         owner->name + " itself; use port_maps");
  }
  const Interface* network = check.network_of(pair.external);
  if (network && on && network != on) {
    check.report.error_at(path + ".external", external + " is on the network of interface " +
                                                  network->name + ", not of " + on->name);
  } else if (!network && on && on->enabled) {
    check.report.warning_at(path + ".external", external + " is on no network of " + on->name +
                                                    "; it works if the provider routes it here");
  }
  for (const Prefix& own : network ? network->addresses : std::vector<Prefix>()) {
    if (own.length < 31 && (pair.external == own.network() || pair.external == own.last())) {
      check.report.error_at(path + ".external", external + " is not the address of a host");
    }
  }
}

void validate_one_to_one(Check& check) {
  std::map<Ipv4Address, std::string_view> externals;
  std::map<Ipv4Address, std::string_view> internals;
  const std::vector<OneToOne>& all = check.model.nat.one_to_one;
  for (size_t i = 0; i < all.size(); ++i) {
    const OneToOne& pair = all[i];
    std::string path = join("nat.one_to_one", i);
    if (!pair.on.empty()) check.require_interface(pair.on, path + ".on");
    if (pair.external.is_unspecified() || pair.internal.is_unspecified()) continue;  // from parse
    if (check.parsed.interfaces_sound) validate_external(check, pair, path);
    std::string internal = to_text(pair.internal);
    if (std::string_view fault = host_fault(pair.internal); !fault.empty()) {
      check.report.error_at(path + ".internal", internal + " " + std::string(fault));
    } else if (check.owner_of(pair.internal)) {
      check.report.error_at(path + ".internal", internal + " is an address of the gateway itself");
    } else if (pair.internal == pair.external) {
      check.report.error_at(path + ".internal", "is the same address as external");
    }
    if (!pair.enabled) continue;
    auto external = externals.emplace(pair.external, pair.name);
    if (!external.second) {
      check.report.error_at(path + ".external", to_text(pair.external) + " belongs to " +
                                                    std::string(external.first->second) +
                                                    " already");
    }
    auto inside = internals.emplace(pair.internal, pair.name);
    if (!inside.second) {
      check.report.error_at(path + ".internal", internal + " belongs to " +
                                                    std::string(inside.first->second) + " already");
    }
  }
}

}  // namespace

void validate_nat(Check& check) {
  const Nat& nat = check.model.nat;
  validate_ports(check);
  validate_names(check, nat.source, "nat.source");
  validate_names(check, nat.one_to_one, "nat.one_to_one");
  validate_names(check, nat.port_maps, "nat.port_maps");
  Externals externals;
  for (const OneToOne& pair : nat.one_to_one) {
    if (pair.enabled) externals.emplace(pair.external, pair.name);
  }
  for (size_t i = 0; i < nat.source.size(); ++i) {
    validate_source(check, nat.source[i], externals, join("nat.source", i));
  }
  validate_one_to_one(check);
}

}  // namespace postern::config
