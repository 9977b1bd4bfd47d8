// SPDX-License-Identifier: BSD-3-Clause
#include "control/analysis/lists.h"

#include <map>
#include <tuple>

#include "base/assert.h"
#include "control/compile/schedule.h"
#include "control/config/resolve.h"

namespace postern::analysis {
namespace {

// Groups of services that an item is exact for; one with more is coarse.
constexpr size_t kServiceGroupsMax = 64;

constexpr uint32_t kPortLast = 65535;
constexpr uint64_t kGatewayBit = set_of(kGateway);

InterfaceSet existing(const Policy& policy) {
  InterfaceSet set = kGatewayBit;
  for (size_t id = 0; id < policy.interfaces.size(); ++id) {
    if (policy.interfaces[id].exists) set |= set_of(static_cast<InterfaceId>(id));
  }
  return set;
}

// Services that differ in one field only are one group.
struct ServiceGroup {
  uint8_t protocol;
  Range second;
  std::vector<Range> ports;
};

std::vector<ServiceGroup> groups_of(const std::vector<ServiceSpec>& services) {
  std::map<std::tuple<uint8_t, uint32_t, uint32_t>, std::vector<Range>> groups;
  for (const ServiceSpec& service : services) {
    Range first{0, kPortLast}, second{0, kPortLast};
    if (has_ports(service.protocol)) {
      first = {service.first_destination, service.last_destination};
      second = {service.first_source, service.last_source};
    } else if (service.protocol == protocol::icmp) {
      auto one = [](int16_t value) { return static_cast<uint32_t>(value); };
      if (service.icmp_type >= 0) first = {one(service.icmp_type), one(service.icmp_type)};
      if (service.icmp_code >= 0) second = {one(service.icmp_code), one(service.icmp_code)};
    }
    groups[{service.protocol, second.first, second.last}].push_back(first);
  }
  std::vector<ServiceGroup> out;
  out.reserve(groups.size());
  for (auto& [key, ports] : groups) {
    out.push_back({std::get<0>(key), {std::get<1>(key), std::get<2>(key)}, std::move(ports)});
  }
  return out;
}

// Adds `base` with each group of the services. False: there are too many, it was added for all.
bool add_services(const Region& base, const std::vector<ServiceSpec>& services,
                  std::vector<Region>& out) {
  bool is_any = services.empty();
  for (const ServiceSpec& service : services)
    is_any = is_any || service.any_protocol;
  const std::vector<ServiceGroup> groups =
      is_any ? std::vector<ServiceGroup>() : groups_of(services);
  if (is_any || groups.size() > kServiceGroupsMax) {
    out.push_back(base);
    return is_any;
  }
  for (const ServiceGroup& group : groups) {
    Region& region = out.emplace_back(base);
    region[Number::protocol] = base[Number::protocol].common({group.protocol, group.protocol});
    region[Number::port] = RangeSet(group.ports);
    region[Number::second_port] = {group.second.first, group.second.last};
    if (region.is_empty()) out.pop_back();
  }
  return true;
}

// The pairs of interfaces of a rule, without those from the gateway to itself.
struct Ways {
  InterfaceSet in, out;
};

std::vector<Ways> ways_of(const Rule& rule, InterfaceSet there) {
  const InterfaceSet in = rule.in & there, out = rule.out & there;
  const InterfaceSet in_plain = in & ~kGatewayBit, out_plain = out & ~kGatewayBit;
  switch (rule.scope) {
    case Scope::all:
      return {{in_plain, out}, {in & kGatewayBit, out_plain}};
    case Scope::forwarded:
      return {{in_plain, out_plain}};
    case Scope::own:
      return {{in_plain, out & kGatewayBit}, {in & kGatewayBit, out_plain}};
  }
  return {};
}

void add_regions(const Rule& rule, const Policy& policy, const RangeSet& minutes, Item& item) {
  Region base = region_of(0, 0, policy);
  base[Number::from] = ranges_of(rule.from);
  base[Number::to] = ranges_of(rule.to);
  base[Number::original] = ranges_of(rule.to_original);
  base[Number::minute] = minutes;
  if (rule.tcp != TcpQualifier::any) {
    base[Choice::tcp] = rule.tcp == TcpQualifier::opening ? kOpening : kEstablished;
    base[Number::protocol] = {protocol::tcp, protocol::tcp};
  }
  if (rule.mapped_only) base[Choice::mapped] = kMapped;
  if (!rule.emergency) base[Choice::posture] = kNormal;
  for (const Ways& ways : ways_of(rule, existing(policy))) {
    base[Choice::in] = ways.in;
    base[Choice::out] = ways.out;
    if (base.is_empty()) continue;
    if (!add_services(base, rule.services, item.regions)) item.is_coarse = true;
  }
}

RangeSet minutes_of(const std::vector<std::string>& when, config::Resolver& resolver) {
  const RangeSet always(0, kMinutesPerWeek - 1);
  if (when.empty()) return always;
  auto intervals = resolver.times(when);
  if (!intervals) return always;  // compile() has refused it
  std::vector<Range> ranges;
  for (const config::WeekInterval& interval : *intervals) {
    if (interval.first < interval.last) ranges.push_back({interval.first, interval.last - 1});
  }
  return RangeSet(std::move(ranges)).common(always);
}

// A guard stands where its interface does.
uint32_t line_of(const Rule& rule, const config::Model& model) {
  constexpr std::string_view kGuard = "guard/windows-sharing/";
  if (rule.line != 0 || !std::string_view(rule.name).starts_with(kGuard)) return rule.line;
  const std::string_view rest = std::string_view(rule.name).substr(kGuard.size());
  const std::string_view name = rest.substr(0, rest.find('/'));
  for (const config::Interface& interface : model.interfaces) {
    if (interface.name == name) return interface.mark.line;
  }
  return 0;
}

}  // namespace

RangeSet ranges_of(const AddressSet& set) {
  if (set.any) return {};
  std::vector<Range> ranges;
  ranges.reserve(set.ranges.size());
  for (const AddressRange& range : set.ranges)
    ranges.push_back({range.first.number, range.last.number});
  return RangeSet(std::move(ranges));
}

Region region_of(InterfaceSet in, InterfaceSet out, const Policy& policy) {
  Region region;
  const InterfaceSet there = existing(policy);
  region[Choice::in] = in & there;
  region[Choice::out] = out & there;
  region[Number::protocol] = {0, 255};
  region[Number::port] = {0, kPortLast};
  region[Number::second_port] = {0, kPortLast};
  region[Number::minute] = {0, kMinutesPerWeek - 1};
  return region;
}

size_t first_user_rule(const config::Model& model, const Policy& policy) {
  POSTERN_ASSERT(policy.rules.size() >= model.filter.rules.size());
  return policy.rules.size() - model.filter.rules.size();
}

std::vector<Item> filter_items(const config::Model& model, const Policy& policy) {
  const size_t first = first_user_rule(model, policy);
  config::Resolver resolver(model.objects);
  std::vector<Item> items(policy.rules.size());
  for (size_t i = 0; i < items.size(); ++i) {
    const Rule& rule = policy.rules.at(static_cast<uint16_t>(i));
    Item& item = items[i];
    item.name = rule.name;
    item.line = line_of(rule, model);
    item.effect = static_cast<uint32_t>(rule.action) << 2 | (rule.alert ? 2 : 0) |
                  (rule.log && rule.is_listed ? 1 : 0);
    item.passes_on = rule.action == Action::next;
    item.is_for_some = !rule.users.all;
    const config::FilterRule* source = i < first ? nullptr : &model.filter.rules[i - first];
    if (source != nullptr && !source->enabled) continue;
    add_regions(rule, policy,
                minutes_of(source ? source->when : std::vector<std::string>(), resolver), item);
  }
  return items;
}

std::vector<Item> source_items(const Policy& policy) {
  std::vector<Item> items;
  items.reserve(policy.nat.mappings.size() + policy.nat.source_rules.size());
  for (const ConfiguredMapping& mapping : policy.nat.mappings) {
    if (!mapping.one_to_one) continue;
    Item& item = items.emplace_back();
    item.name = mapping.name;
    item.line = mapping.line;
    item.effect = UINT32_MAX;
    const InterfaceSet out = mapping.on == kNoInterface ? kAnyInterface : set_of(mapping.on);
    Region& region = item.regions.emplace_back(region_of(kAnyInterface, out, policy));
    region[Number::from] = {mapping.internal.number, mapping.internal.number};
  }
  auto same = [](const SourceRule& a, const SourceRule& b) {
    return a.action == b.action && a.pool == b.pool && a.mapping == b.mapping &&
           a.filtering == b.filtering && a.log == b.log;
  };
  for (size_t i = 0; i < policy.nat.source_rules.size(); ++i) {
    const SourceRule& rule = policy.nat.source_rules[i];
    Item& item = items.emplace_back();
    item.name = rule.name;
    item.line = rule.line;
    while (!same(policy.nat.source_rules[item.effect], rule))
      ++item.effect;
    Region base = region_of(rule.in, rule.out & ~kGatewayBit, policy);
    base[Number::from] = ranges_of(rule.from);
    base[Number::to] = ranges_of(rule.to);
    if (!base.is_empty()) item.is_coarse = !add_services(base, rule.services, item.regions);
  }
  return items;
}

}  // namespace postern::analysis
