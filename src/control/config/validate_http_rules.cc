// SPDX-License-Identifier: BSD-3-Clause
// services.http.rules: whether their hosts, paths and expressions can be understood,
// by the matcher that will read them; who is to log in, and where.
#include <algorithm>
#include <set>

#include "control/config/http_patterns.h"
#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr std::string_view kPath = "services.http";

// What the matcher has against the one rule, without the place that it names.
std::string fault_of(http::UrlRule rule) {
  auto compiled = http::UrlRules::compile({std::move(rule)}, http::UrlAction::permit);
  if (compiled) return {};
  const std::string& text = compiled.error().text;
  const size_t colon = text.find(": ");
  return text.substr(colon == std::string::npos ? 0 : colon + 2);
}

using Field = std::string http::UrlRule::*;

void check_all(Check& check, const std::vector<std::string>& patterns, Field field,
               const std::string& path) {
  for (size_t i = 0; i < patterns.size(); ++i) {
    http::UrlRule rule;
    rule.*field = patterns[i];
    const std::string fault = fault_of(std::move(rule));
    if (!fault.empty()) check.report.error_at(item_path(path, i, patterns.size()), fault);
  }
}

void check_one(Check& check, const std::string& pattern, Field field, const std::string& path) {
  if (!pattern.empty()) check_all(check, {pattern}, field, path);
}

void check_number(Check& check, const Http& http) {
  size_t count = 0;
  for (const HttpRule& rule : http.rules)
    count += std::max<size_t>(rule.hosts.size(), 1) * std::max<size_t>(rule.paths.size(), 1);
  if (count <= http::kUrlRulesMax) return;
  check.report.error_at(join(kPath, "rules"),
                        "are more than " + std::to_string(http::kUrlRulesMax) +
                            " pairs of a host and a path; use *.example.com or a pattern");
}

bool denies_everybody(const HttpRule& rule) {
  return rule.enabled && rule.action == HttpAction::deny && rule.hosts.empty() &&
         rule.paths.empty() && rule.contains.empty() && rule.pattern.empty() &&
         rule.users.empty() && rule.when.empty();
}

// Whom nobody knows such a rule does not meet: he need only not log in.
void warn_of_unknown(Check& check, const Http& http, size_t index) {
  const HttpRule& rule = http.rules[index];
  if (rule.action != HttpAction::deny || rule.users.empty() || !rule.enabled) return;
  if (http.login == HttpLogin::required) return;
  const auto behind = http.rules.begin() + static_cast<ptrdiff_t>(index);
  if (std::any_of(behind, http.rules.end(), denies_everybody)) return;
  check.report.warning_at(join(join(join(kPath, "rules"), index), "users"),
                          "denies nothing to who is not logged in; services.http.login: required "
                          "asks everybody, a rule behind it that denies all others asks no more");
}

}  // namespace

void validate_http_rules(Check& check, const Http& http) {
  const Model& model = check.model;
  const bool can_log_in =
      http.login != HttpLogin::none || (model.services.portal && model.services.portal->enabled);
  std::set<std::string_view> names;
  bool is_told = false;
  for (size_t i = 0; i < http.rules.size(); ++i) {
    const HttpRule& rule = http.rules[i];
    const std::string path = join(join(kPath, "rules"), i);
    if (!rule.name.empty() && !names.insert(rule.name).second) {
      check.report.error_at(join(path, "name"),
                            quote(rule.name) + " is the name of an earlier rule");
    }
    check_all(check, rule.hosts, &http::UrlRule::host, join(path, "hosts"));
    check_all(check, rule.paths, &http::UrlRule::path, join(path, "paths"));
    check_one(check, rule.pattern, &http::UrlRule::expression, join(path, "pattern"));
    check.require_items(ItemKind::time, rule.when, join(path, "when"));
    if (rule.action == HttpAction::permit && !rule.message.empty()) {
      check.report.warning_at(join(path, "message"), "is for rules that deny");
    }
    if (can_log_in) warn_of_unknown(check, http, i);
    if (rule.users.empty() || !rule.enabled || can_log_in || is_told) continue;
    is_told = true;
    check.report.warning_at(join(path, "users"),
                            "matches nobody: services.http.login is none, and there is no "
                            "services.portal to log in at");
  }
  check_number(check, http);
}

}  // namespace postern::config
