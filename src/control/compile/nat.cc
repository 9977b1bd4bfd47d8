// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <map>
#include <utility>

#include "control/compile/lower.h"
#include "dataplane/nat/port_pool.h"

namespace postern::compiler {
namespace {

// Each worker keeps bitmaps of ports for so many.
constexpr unsigned kDynamicAddressesMax = ExternalPortPool::Settings{}.addresses_max;

MappingBehavior lowered(config::MappingBehavior behavior) {
  switch (behavior) {
    case config::MappingBehavior::endpoint_independent:
      return MappingBehavior::endpoint_independent;
    case config::MappingBehavior::address_dependent:
      return MappingBehavior::address_dependent;
    case config::MappingBehavior::address_and_port_dependent:
      return MappingBehavior::address_and_port_dependent;
  }
  return MappingBehavior::address_and_port_dependent;
}

FilteringBehavior lowered(config::FilteringBehavior behavior) {
  switch (behavior) {
    case config::FilteringBehavior::endpoint_independent:
      return FilteringBehavior::endpoint_independent;
    case config::FilteringBehavior::address_dependent:
      return FilteringBehavior::address_dependent;
    case config::FilteringBehavior::address_and_port_dependent:
      return FilteringBehavior::address_and_port_dependent;
  }
  return FilteringBehavior::address_and_port_dependent;
}

SourceAction lowered(config::SourceAction action) {
  switch (action) {
    case config::SourceAction::none:
      return SourceAction::none;
    case config::SourceAction::masquerade:
      return SourceAction::masquerade;
    case config::SourceAction::pool:
      return SourceAction::pool;
  }
  return SourceAction::none;
}

std::string name_or(const std::string& name, const char* prefix, size_t position) {
  return name.empty() ? prefix + std::to_string(position + 1) : name;
}

// What stands for inside hosts, gathered from all parts of NAT; one entry an address.
class ExternalAddresses {
 public:
  explicit ExternalAddresses(const Lowering& lowering) : lowering_(lowering) {}

  void add(Ipv4Address address, InterfaceId on, bool dynamic) {
    auto& entry =
        by_address_.try_emplace(address, NatPolicy::ExternalAddress{address, on}).first->second;
    entry.dynamic |= dynamic;
    entry.answers_arp = !lowering_.is_own_address(address);
  }

  size_t dynamic_count() const {
    return static_cast<size_t>(
        std::count_if(by_address_.begin(), by_address_.end(),
                      [](const auto& entry) { return entry.second.dynamic; }));
  }

  std::vector<NatPolicy::ExternalAddress> sorted() const {
    std::vector<NatPolicy::ExternalAddress> all;
    for (const auto& [address, entry] : by_address_)
      all.push_back(entry);
    return all;
  }

 private:
  const Lowering& lowering_;
  std::map<Ipv4Address, NatPolicy::ExternalAddress> by_address_;
};

Error too_many_addresses() {
  return {ErrorCode::exhausted, "more than " + std::to_string(kDynamicAddressesMax) +
                                    " addresses for translated sources"};
}

Result<std::vector<Ipv4Address>> expand_pool(Lowering& lowering,
                                             const std::vector<std::string>& items) {
  auto set = lowering.addresses(items);
  if (!set) return std::move(set).error();
  if (set->any) return too_many_addresses();
  std::vector<Ipv4Address> pool;
  for (const AddressRange& range : set->ranges) {
    uint32_t span = range.last.number - range.first.number;
    if (pool.size() + span >= kDynamicAddressesMax) return too_many_addresses();
    for (uint32_t i = 0; i <= span; ++i)
      pool.push_back(Ipv4Address(range.first.number + i));
  }
  return pool;
}

Result<SourceRule> lowered(Lowering& lowering, const config::SourceNat& source) {
  SourceRule rule;
  rule.line = source.mark.line;
  rule.in = lowering.interfaces(source.in);
  rule.out = lowering.interfaces(source.out);
  rule.action = lowered(source.action);
  rule.mapping = lowered(source.mapping.value_or(lowering.model().nat.mapping));
  rule.filtering = lowered(source.filtering.value_or(lowering.model().nat.filtering));
  rule.log = source.log;
  auto from = lowering.addresses(source.from);
  if (!from) return std::move(from).error().within("from");
  rule.from = std::move(from).value();
  auto to = lowering.addresses(source.to);
  if (!to) return std::move(to).error().within("to");
  rule.to = std::move(to).value();
  auto services = lowering.services(source.service);
  if (!services) return std::move(services).error().within("service");
  rule.services = std::move(services).value();
  if (rule.action != SourceAction::pool) return rule;
  auto pool = expand_pool(lowering, source.pool);
  if (!pool) return std::move(pool).error().within("pool");
  rule.pool = std::move(pool).value();
  return rule;
}

// The interface on whose wire a pool address is seen: the one with its network, else the first way
// out.
InterfaceId interface_of(const Lowering& lowering, Ipv4Address address, InterfaceSet out) {
  InterfaceId network = lowering.find_network_of(address);
  if (network != kNoInterface && (out & set_of(network)) != 0) return network;
  for (InterfaceId id = 0; id < lowering.model().interfaces.size(); ++id) {
    if ((out & set_of(id)) != 0 && lowering.model().interfaces[id].enabled) return id;
  }
  return kNoInterface;
}

void add_source_addresses(const Lowering& lowering, const Policy& policy, const SourceRule& rule,
                          ExternalAddresses& external) {
  for (Ipv4Address address : rule.pool) {
    InterfaceId on = interface_of(lowering, address, rule.out);
    if (on != kNoInterface) external.add(address, on, true);
  }
  if (rule.action != SourceAction::masquerade) return;
  for (InterfaceId id = 0; id < policy.interfaces.size(); ++id) {
    Ipv4Address own = policy.nat.masquerade_address[id];
    if ((rule.out & set_of(id)) != 0 && !own.is_unspecified()) external.add(own, id, true);
  }
}

Result<void> add_source_rules(Lowering& lowering, Policy& policy, ExternalAddresses& external) {
  const auto& sources = lowering.model().nat.source;
  for (size_t i = 0; i < sources.size(); ++i) {
    if (!sources[i].enabled) continue;
    std::string name = name_or(sources[i].name, "source-", i);
    auto rule = lowered(lowering, sources[i]);
    if (!rule) return std::move(rule).error().within("nat.source." + name);
    rule->name = std::move(name);
    add_source_addresses(lowering, policy, *rule, external);
    policy.nat.source_rules.push_back(std::move(rule).value());
  }
  return {};
}

void add_one_to_one(const Lowering& lowering, Policy& policy, ExternalAddresses& external) {
  const auto& pairs = lowering.model().nat.one_to_one;
  for (size_t i = 0; i < pairs.size(); ++i) {
    ConfiguredMapping mapping;
    mapping.on = lowering.find_interface(pairs[i].on);
    if (!pairs[i].enabled || mapping.on == kNoInterface) continue;
    mapping.name = name_or(pairs[i].name, "one-to-one-", i);
    mapping.line = pairs[i].mark.line;
    mapping.one_to_one = true;
    mapping.external = pairs[i].external;
    mapping.internal = pairs[i].internal;
    mapping.last_external = 65535;
    mapping.log = pairs[i].log;
    external.add(mapping.external, mapping.on, false);
    policy.nat.mappings.push_back(std::move(mapping));
  }
}

Result<void> add_port_maps(Lowering& lowering, Policy& policy, ExternalAddresses& external) {
  for (const config::PortMap& map : lowering.model().nat.port_maps) {
    if (!map.enabled) continue;
    auto mappings = expand_port_map(lowering, map);
    if (!mappings) return mappings.error();
    for (ConfiguredMapping& mapping : *mappings) {
      external.add(mapping.external, mapping.on, false);
      policy.nat.mappings.push_back(std::move(mapping));
    }
  }
  return {};
}

}  // namespace

// The lowest port of all ranges becomes `to_port` inside; the others keep their distance from it.
Result<std::vector<ConfiguredMapping>> expand_port_map(Lowering& lowering,
                                                       const config::PortMap& map) {
  std::vector<ConfiguredMapping> mappings;
  ConfiguredMapping mapping;
  mapping.name = map.name;
  mapping.line = map.mark.line;
  mapping.on = lowering.find_interface(map.on);
  if (mapping.on == kNoInterface) return mappings;
  mapping.internal = map.to;
  mapping.to_gateway = lowering.is_own_address(map.to);
  mapping.keep_source = map.hairpin_source == config::HairpinSource::keep;
  mapping.log = map.log;

  std::vector<Ipv4Address> listen;
  if (map.listen) listen.push_back(*map.listen);
  for (const Prefix& own : lowering.model().interfaces[mapping.on].addresses) {
    if (!map.listen) listen.push_back(own.address);
  }
  const std::string path = "nat.port_maps." + map.name + ".service";
  auto services = lowering.services(map.service);
  if (!services) return std::move(services).error().within(path);
  uint16_t lowest = 65535;
  for (const ServiceSpec& service : *services) {
    if (!has_ports(service.protocol) || service.first_source != 0 || service.last_source != 65535) {
      return Error{ErrorCode::invalid, path + ": only TCP and UDP ports can be mapped"};
    }
    lowest = std::min(lowest, service.first_destination);
  }
  for (const ServiceSpec& service : *services) {
    int inside = map.to_port.value_or(lowest) + (service.first_destination - lowest);
    if (inside + service.last_destination - service.first_destination > 65535) {
      return Error{ErrorCode::invalid, path + ": the ports inside would exceed 65535"};
    }
    mapping.protocol = service.protocol;
    mapping.first_external = service.first_destination;
    mapping.last_external = service.last_destination;
    mapping.first_internal = static_cast<uint16_t>(inside);
    for (Ipv4Address address : listen) {
      mapping.external = address;
      mappings.push_back(mapping);
    }
  }
  if (services->empty()) return Error{ErrorCode::invalid, path + ": no ports"};
  return mappings;
}

Result<void> compile_nat(Lowering& lowering, Policy& policy) {
  const config::Nat& source = lowering.model().nat;
  NatPolicy& nat = policy.nat;
  nat.first_port = source.first_port;
  nat.last_port = source.last_port;
  nat.reserved_ports = source.reserved_ports;
  std::sort(nat.reserved_ports.begin(), nat.reserved_ports.end());
  nat.hairpin = source.hairpin;
  for (const PolicyInterface& interface : policy.interfaces) {
    nat.masquerade_address.push_back(
        interface.addresses.empty() ? Ipv4Address() : interface.addresses.front().address);
  }

  ExternalAddresses external(lowering);
  if (auto added = add_source_rules(lowering, policy, external); !added) return added;
  add_one_to_one(lowering, policy, external);
  if (auto added = add_port_maps(lowering, policy, external); !added) return added;
  if (external.dynamic_count() > kDynamicAddressesMax) return too_many_addresses().within("nat");
  nat.external_addresses = external.sorted();
  nat.seal();
  return {};
}

}  // namespace postern::compiler
