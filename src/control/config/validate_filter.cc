// SPDX-License-Identifier: BSD-3-Clause
// filter: names, contradictions, rules without effect.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/limits.h"
#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr std::string_view kGateway = "gateway";
constexpr uint8_t kTcp = 6;

// A rule with where it stands: rules of a template share the place of its use.
class RuleCheck {
 public:
  RuleCheck(Check& check, size_t index)
      : check_(check),
        rule_(check.model.filter.rules[index]),
        path_(join("filter.rules", check.parsed.rule_entries[index])) {}

  void run();
  void error(std::string_view key, std::string text) {
    check_.report.error_at(place(key), prefix() + std::move(text));
  }

 private:
  std::string place(std::string_view key) const {
    return key.empty() || !rule_.from_template.empty() ? path_ : join(path_, key);
  }
  std::string prefix() const {
    return rule_.from_template.empty() ? "" : "rule " + rule_.name + ": ";
  }
  void warning(std::string_view key, std::string text) {
    check_.report.warning_at(place(key), prefix() + std::move(text));
  }
  void check_ends(std::string_view key, const std::vector<std::string>& ends);
  void check_effect(std::string_view key, const std::vector<std::string>& ends);
  void check_scope();
  void check_items();
  void check_tcp();

  Check& check_;
  const FilterRule& rule_;
  std::string path_;
};

bool has_gateway(const std::vector<std::string>& ends) {
  return std::find(ends.begin(), ends.end(), kGateway) != ends.end();
}
bool is_gateway_only(const std::vector<std::string>& ends) {
  return ends.size() == 1 && ends[0] == kGateway;
}

void RuleCheck::run() {
  check_ends("in", rule_.in);
  check_ends("out", rule_.out);
  check_effect("in", rule_.in);
  check_effect("out", rule_.out);
  check_scope();
  check_items();
  check_tcp();
}

void RuleCheck::check_ends(std::string_view key, const std::vector<std::string>& ends) {
  for (size_t i = 0; i < ends.size(); ++i) {
    bool word = ends[i] == kGateway || find_zone(ends[i]);
    if (word || check_.find_interface(ends[i])) continue;
    if (ends[i] == "any") {
      error(item_path(std::string(key), i, ends.size()), "'any' stands alone");
      continue;
    }
    std::vector<std::string_view> known = {kGateway};
    known.reserve(kZones.size() + check_.model.interfaces.size() + 1);
    for (Zone zone : kZones)
      known.emplace_back(zone_word(zone));
    for (const Interface& interface : check_.model.interfaces)
      known.push_back(interface.name);
    error(item_path(std::string(key), i, ends.size()),
          "unknown interface or zone " + quote(ends[i]) + hint(ends[i], known));
  }
}

// All that `ends` name is disabled or empty: the rule matches nothing.
void RuleCheck::check_effect(std::string_view key, const std::vector<std::string>& ends) {
  if (ends.empty() || !rule_.enabled || !check_.parsed.interfaces_sound) return;
  for (const std::string& end : ends) {
    if (end == kGateway) return;
    auto zone = find_zone(end);
    if (!zone && !check_.find_interface(end)) return;
    for (const Interface& interface : check_.model.interfaces) {
      bool named = zone ? interface.zone == *zone : interface.name == end;
      if (named && interface.enabled) return;
    }
  }
  warning(key, "matches nothing: no enabled interface is meant");
}

void RuleCheck::check_scope() {
  bool in_gateway = has_gateway(rule_.in);
  bool out_gateway = has_gateway(rule_.out);
  if (is_gateway_only(rule_.in) && is_gateway_only(rule_.out)) {
    return error("out", "packets from the gateway to itself never meet the filter");
  }
  if (rule_.scope == Scope::forwarded &&
      (is_gateway_only(rule_.in) || is_gateway_only(rule_.out))) {
    return error("scope", "forwarded contradicts in or out gateway");
  }
  bool never_own = !rule_.in.empty() && !in_gateway && !rule_.out.empty() && !out_gateway;
  if (rule_.scope == Scope::own && never_own) {
    error("scope", "own needs gateway in in or out");
  }
}

void RuleCheck::check_items() {
  bool plain = rule_.from_template.empty();
  auto in_rule = [&](std::string_view key) { return plain ? join(path_, key) : path_; };
  check_.require_items(ItemKind::address, rule_.from, in_rule("from"), true);
  check_.require_items(ItemKind::address, rule_.to, in_rule("to"), true);
  check_.require_items(ItemKind::address, rule_.to_original, in_rule("to_original"), true);
  check_.require_items(ItemKind::service, rule_.service, in_rule("service"));
  check_.require_items(ItemKind::time, rule_.when, in_rule("when"));
  for (const auto& [key, items] : {std::pair("from", &rule_.from), std::pair("to", &rule_.to),
                                   std::pair("to_original", &rule_.to_original)}) {
    std::vector<std::string> resolvable = *items;
    std::erase(resolvable, kGateway);
    auto fits = check_.resolver.check_addresses(resolvable);
    if (!fits && fits.error().code == ErrorCode::exhausted) error(key, fits.error().text);
  }
}

void RuleCheck::check_tcp() {
  auto fits = check_.resolver.check_services(rule_.service);
  if (!fits && fits.error().code == ErrorCode::exhausted) {
    return error("service", fits.error().text);
  }
  if (rule_.tcp == TcpState::any || !fits) return;
  auto services = check_.resolver.services(rule_.service);
  for (const ServiceMatch& match : *services) {
    if (match.any_protocol || match.protocol == kTcp) continue;
    return error("tcp", "the rule's services are not all TCP");
  }
}

void validate_posture(Check& check) {
  const Filter& filter = check.model.filter;
  bool emergency =
      std::any_of(filter.rules.begin(), filter.rules.end(),
                  [](const FilterRule& rule) { return rule.emergency && rule.enabled; });
  bool any = std::any_of(filter.rules.begin(), filter.rules.end(),
                         [](const FilterRule& rule) { return rule.enabled; });
  if (filter.posture == Posture::open) {
    check.report.warning_at("filter.posture", "open lets everything pass that no rule drops");
  } else if (filter.posture == Posture::cut_off && !emergency) {
    check.report.warning_at("filter.posture",
                            "cut_off without an emergency rule shuts the administrator out too");
  } else if (filter.posture == Posture::normal && !any && check.parsed.sound) {
    check.report.warning_at("filter", "no rule is in force, so nothing passes");
  }
}

}  // namespace

void validate_filter(Check& check) {
  const std::vector<FilterRule>& rules = check.model.filter.rules;
  if (rules.size() > kRulesMax) {
    check.report.error_at("filter.rules", "more than " + std::to_string(kRulesMax) +
                                              " rules with those of templates");
    return;
  }
  std::unordered_map<std::string_view, size_t> names;
  for (size_t i = 0; i < rules.size(); ++i) {
    const FilterRule& rule = rules[i];
    RuleCheck one(check, i);
    auto [first, inserted] = names.emplace(rule.name, i);
    if (!inserted && !rule.name.empty()) {
      std::string text = quote(rule.name) + " is the name of an earlier rule";
      if (!rule.from_template.empty()) text = "give the second use a name of its own";
      one.error("name", std::move(text));
    }
    one.run();
  }
  validate_posture(check);
}

}  // namespace postern::config
