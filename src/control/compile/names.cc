// SPDX-License-Identifier: BSD-3-Clause
#include "control/compile/names.h"

namespace postern {
namespace {

const PolicyNames::Entry* find(const std::vector<PolicyNames::Entry>& entries, uint32_t index) {
  return index < entries.size() ? &entries[index] : nullptr;
}

}  // namespace

const PolicyNames::Entry* PolicyNames::find_rule(uint32_t index) const {
  return find(rules, index);
}

const PolicyNames::Entry* PolicyNames::find_nat(uint32_t index) const {
  return find(nat, index);
}

const char* PolicyNames::interface(InterfaceId id) const {
  if (id == kGateway) return "gateway";
  if (id == kNoInterface) return "-";
  return id < interfaces.size() ? interfaces[id].c_str() : "?";
}

PolicyNames names_of(const Policy& policy) {
  PolicyNames names;
  names.generation = policy.generation;
  for (size_t i = 0; i < policy.rules.size(); ++i) {
    const Rule& rule = policy.rules.at(static_cast<uint16_t>(i));
    names.rules.push_back({rule.name, rule.description, rule.line, rule.alert, rule.is_listed});
  }
  for (const SourceRule& rule : policy.nat.source_rules) {
    names.nat.push_back({rule.name, "", rule.line, false, true});
  }
  for (const ConfiguredMapping& mapping : policy.nat.mappings) {
    names.nat.push_back({mapping.name, "", mapping.line, false, true});
  }
  for (const PolicyInterface& interface : policy.interfaces) {
    names.interfaces.push_back(interface.name);
  }
  return names;
}

}  // namespace postern
