// SPDX-License-Identifier: BSD-3-Clause
// Port maps that nobody can use, and rules about addresses that port maps have replaced by then.
#include <algorithm>

#include "control/analysis/findings.h"
#include "control/analysis/lists.h"
#include "control/compile/policy_text.h"

namespace postern::analysis {
namespace {

// Destinations and services of one rule that are held against the mappings.
constexpr size_t kDestinationsMax = 16, kServicesMax = 16;

class PortMapJudge {
 public:
  PortMapJudge(const config::Model& model, const Policy& policy, const std::vector<Item>& rules,
               Budget& budget, Findings& findings)
      : model_(model), policy_(policy), rules_(rules), budget_(budget), findings_(findings) {}

  void judge(const config::PortMap& map);
  void judge_destinations(size_t index, const config::FilterRule& source);

 private:
  using Mappings = std::vector<const ConfiguredMapping*>;

  Mappings mappings_of(const config::PortMap& map) const;
  std::string target_fault(const config::PortMap& map) const;
  Region region_of_map(const ConfiguredMapping& mapping) const;
  const Rule* naming_outside(const ConfiguredMapping& mapping) const;
  void judge_filter(const config::PortMap& map, const Mappings& mappings);
  const ConfiguredMapping* taker_of(Ipv4Address address, const ServiceSpec& service,
                                    InterfaceSet in) const;

  const config::Model& model_;
  const Policy& policy_;
  const std::vector<Item>& rules_;
  Budget& budget_;
  Findings& findings_;
};

Subject subject_of(const config::PortMap& map) {
  return {"nat.port_maps." + map.name, map.mark};
}

PortMapJudge::Mappings PortMapJudge::mappings_of(const config::PortMap& map) const {
  Mappings mappings;
  for (const ConfiguredMapping& mapping : policy_.nat.mappings) {
    bool is_of_it = !mapping.one_to_one && mapping.name == map.name;
    if (is_of_it && mapping.line == map.mark.line) mappings.push_back(&mapping);
  }
  return mappings;
}

// Why nothing that is sent to the target arrives inside; empty: it does.
std::string PortMapJudge::target_fault(const config::PortMap& map) const {
  const std::string to = to_text(map.to);
  const Route* route = policy_.routes.find(map.to);
  if (route == nullptr) {
    return "no route leads to its target " + to + "; correct `to`, or add a route";
  }
  if (route->interface == kGateway) return "";
  const PolicyInterface& behind = policy_.interfaces[route->interface];
  if (!behind.exists) {
    return "its target " + to + " is behind " + behind.name + ", which is disabled";
  }
  if (behind.zone != Zone::external) return "";
  return "its target " + to + " is not inside: the way to it leads out by " + behind.name +
         "; correct `to`, or add a route";
}

// First packets that come in by the mapping from its own side.
Region PortMapJudge::region_of_map(const ConfiguredMapping& mapping) const {
  const Route* route = policy_.routes.find(mapping.internal);
  const InterfaceSet out = mapping.to_gateway ? set_of(kGateway) : set_of(route->interface);
  Region region = region_of(set_of(mapping.on), out, policy_);
  const uint16_t last = mapping.internal_endpoint(mapping.last_external).port;
  region[Number::to] = {mapping.internal.number, mapping.internal.number};
  region[Number::original] = {mapping.external.number, mapping.external.number};
  region[Number::protocol] = {mapping.protocol, mapping.protocol};
  region[Number::port] = {mapping.first_internal, last};
  region[Choice::mapped] = kMapped;
  region[Choice::tcp] = kOpening;
  region[Choice::posture] = kNormal;
  return region;
}

// A permit whose author took the outside address for the destination.
const Rule* PortMapJudge::naming_outside(const ConfiguredMapping& mapping) const {
  for (size_t i = first_user_rule(model_, policy_); i < policy_.rules.size(); ++i) {
    const Rule& rule = policy_.rules.at(static_cast<uint16_t>(i));
    bool is_named = rule.action == Action::permit && !rule.to.any &&
                    rule.to.contains(mapping.external) && !rule.to.contains(mapping.internal);
    if (is_named && !rules_[i].regions.empty() && holds(rule.in, mapping.on)) return &rule;
  }
  return nullptr;
}

void PortMapJudge::judge_filter(const config::PortMap& map, const Mappings& mappings) {
  std::vector<size_t> refused;
  for (const ConfiguredMapping* mapping : mappings) {
    std::vector<size_t> by;
    if (find_permit(region_of_map(*mapping), policy_, rules_, budget_, &by) != kRefused) return;
    refused.insert(refused.end(), by.begin(), by.end());
  }
  std::sort(refused.begin(), refused.end());
  refused.erase(std::unique(refused.begin(), refused.end()), refused.end());
  const std::string on = policy_.interfaces[mappings.front()->on].name;
  const std::string target = "destination " + to_text(mappings.front()->internal);
  std::vector<config::Cause> causes = causes_of(rules_, refused);
  std::string text = "nobody on " + on + " may use it: ";
  if (const Rule* rule = naming_outside(*mappings.front())) {
    causes = {{rule->name, rule->line}};
    text += named(causes) + " names the outside address, and rules see the " + target +
            "; write that there";
  } else if (causes.empty()) {
    text += "no rule permits the " + target + "; permit it, or list sources in allow_from";
  } else {
    text += named(causes) + (causes.size() == 1 ? " refuses" : " refuse") + " the " + target +
            "; permit it above, or list sources in allow_from";
  }
  findings_.push_back(finding("port-map", subject_of(map), std::move(text), std::move(causes)));
}

void PortMapJudge::judge(const config::PortMap& map) {
  const Mappings mappings = map.enabled ? mappings_of(map) : Mappings();
  if (mappings.empty()) return;
  if (std::string fault = target_fault(map); !fault.empty()) {
    findings_.push_back(finding("port-map", subject_of(map), "nothing comes in by it: " + fault));
    return;
  }
  judge_filter(map, mappings);
}

// The mapping that replaces `address` as the destination of all packets of this service that come
// in by `in`.
const ConfiguredMapping* PortMapJudge::taker_of(Ipv4Address address, const ServiceSpec& service,
                                                InterfaceSet in) const {
  auto takes = [&](const ConfiguredMapping& mapping) {
    if (mapping.external != address || (in & ~set_of(mapping.on)) != 0) return false;
    if (mapping.one_to_one) return true;
    return !service.any_protocol && mapping.protocol == service.protocol &&
           mapping.first_external <= service.first_destination &&
           service.last_destination <= mapping.last_external;
  };
  auto found = std::find_if(policy_.nat.mappings.begin(), policy_.nat.mappings.end(), takes);
  return found == policy_.nat.mappings.end() ? nullptr : &*found;
}

// A permit for the outside address of a service that is mapped: rules see the inside address.
void PortMapJudge::judge_destinations(size_t index, const config::FilterRule& source) {
  const Rule& rule = policy_.rules.at(static_cast<uint16_t>(index));
  const Item& item = rules_[index];
  if (rule.action != Action::permit || item.regions.empty() || rule.to.any) return;
  if (rule.to.ranges.empty() || rule.to.ranges.size() > kDestinationsMax) return;
  if (rule.services.size() > kServicesMax || rule.in == kAnyInterface) return;
  std::vector<ServiceSpec> services = rule.services;
  if (services.empty()) services.push_back({.any_protocol = true});
  const ConfiguredMapping* taker = nullptr;
  for (const AddressRange& range : rule.to.ranges) {
    for (const ServiceSpec& service : services) {
      taker = range.first == range.last ? taker_of(range.first, service, rule.in) : nullptr;
      if (taker == nullptr || rule.to.contains(taker->internal)) return;
    }
  }
  const std::string inside = to_text(taker->internal), outside = to_text(taker->external);
  std::string text = "never matches: rule " + taker->name + " of nat (line " +
                     std::to_string(taker->line) + ") has replaced " + outside + " by " + inside +
                     " before; write to: " + inside + ", or to_original: " + outside;
  findings_.push_back(finding("never-matches", {"filter.rules." + source.name, source.mark},
                              std::move(text), {{taker->name, taker->line}}));
}

}  // namespace

void judge_port_maps(const config::Model& model, const Policy& policy,
                     const std::vector<Item>& rules, Budget& budget, Findings& findings) {
  PortMapJudge judge(model, policy, rules, budget, findings);
  for (const config::PortMap& map : model.nat.port_maps) {
    if (findings.size() < kAnalysisFindingsMax) judge.judge(map);
  }
  const size_t first = first_user_rule(model, policy);
  for (size_t i = first; i < rules.size() && !policy.nat.mappings.empty(); ++i) {
    const config::FilterRule& source = model.filter.rules[i - first];
    if (source.from_template.empty() && findings.size() < kAnalysisFindingsMax) {
      judge.judge_destinations(i, source);
    }
  }
}

}  // namespace postern::analysis
