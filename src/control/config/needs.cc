// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/needs.h"

#include <algorithm>

namespace postern::config {
namespace {

constexpr std::string_view kGateway = "gateway";
constexpr uint8_t kTcp = 6;

// Whether `ends` of a rule may mean the interface; nullptr is the gateway itself.
bool may_mean(const std::vector<std::string>& ends, const Interface* interface) {
  return ends.empty() || std::any_of(ends.begin(), ends.end(), [&](const std::string& end) {
           if (interface == nullptr) return end == kGateway;
           return end == interface->name || end == zone_word(interface->zone);
         });
}

bool may_concern(const FilterRule& rule, const Need& need) {
  if (need.is_met || !may_mean(rule.in, need.asker)) return false;
  if (need.asker != nullptr) return may_mean(rule.out, nullptr);
  return rule.out.empty() || std::any_of(rule.out.begin(), rule.out.end(),
                                         [](const auto& end) { return end != kGateway; });
}

bool admits(const std::vector<ServiceMatch>& services, const Need& need) {
  return services.empty() || std::any_of(services.begin(), services.end(), [&](const auto& match) {
           return match.any_protocol ||
                  (match.protocol == need.protocol && match.destination.first <= need.port &&
                   need.port <= match.destination.last);
         });
}

void warn_of(Check& check, const Need& need) {
  std::string service = (need.protocol == kTcp ? "tcp/" : "tcp+udp/") + std::to_string(need.port);
  std::string text = need.asker != nullptr
                         ? "no rule lets the hosts of " + need.asker->name +
                               " ask; add one with in: " + need.asker->name + ", out: gateway"
                         : "no rule lets the gateway ask this server; add one with in: gateway";
  check.report.warning_at(need.path, text + ", service: " + service);
}

}  // namespace

void meet_by_rules(Check& check, std::vector<Need>& needs) {
  for (const FilterRule& rule : check.model.filter.rules) {
    if (!rule.enabled || rule.action != RuleAction::permit || rule.scope == Scope::forwarded)
      continue;
    bool concerns = std::any_of(needs.begin(), needs.end(),
                                [&](const Need& need) { return may_concern(rule, need); });
    if (!concerns) continue;
    auto services = check.resolver.services(rule.service);
    for (Need& need : needs)
      need.is_met |= may_concern(rule, need) && (!services || admits(*services, need));
  }
}

void warn_of_unmet(Check& check, const std::vector<Need>& needs) {
  for (const Need& need : needs) {
    if (!need.is_met) warn_of(check, need);
  }
}

}  // namespace postern::config
