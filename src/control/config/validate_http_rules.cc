// SPDX-License-Identifier: BSD-3-Clause
// services.http.rules and cache.lifetimes: whether their hosts, paths and expressions can be
// understood, by the matcher that will read them; who is to log in, and where.
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

// Of rules or lifetimes.
template <typename Entry>
void check_urls(Check& check, const Entry& entry, const std::string& path) {
  check_all(check, entry.hosts, &http::UrlRule::host, join(path, "hosts"));
  check_all(check, entry.paths, &http::UrlRule::path, join(path, "paths"));
  check_one(check, entry.pattern, &http::UrlRule::expression, join(path, "pattern"));
}

template <typename Entry>
void check_number(Check& check, const std::vector<Entry>& entries, const std::string& path) {
  size_t count = 0;
  for (const Entry& entry : entries)
    count += std::max<size_t>(entry.hosts.size(), 1) * std::max<size_t>(entry.paths.size(), 1);
  if (count <= http::kUrlRulesMax) return;
  check.report.error_at(path, "are more than " + std::to_string(http::kUrlRulesMax) +
                                  " pairs of a host and a path; use *.example.com or a pattern");
}

void validate_lifetimes(Check& check, const HttpCache& cache) {
  const std::string place = join(join(kPath, "cache"), "lifetimes");
  for (size_t i = 0; i < cache.lifetimes.size(); ++i) {
    const HttpLifetime& entry = cache.lifetimes[i];
    const std::string path = join(place, i);
    check_urls(check, entry, path);
    const bool sets_more = entry.lifetime || entry.largest_object ||
                           entry.ignore_server_lifetimes || entry.always_revalidate;
    if (entry.never && sets_more) {
      check.report.warning_at(join(path, "never"), "leaves nothing for the other keys to set");
    } else if (!entry.never && !sets_more) {
      check.report.warning_at(path, "sets nothing, and keeps what is behind it from these pages");
    }
  }
  check_number(check, cache.lifetimes, place);
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
    check_urls(check, rule, path);
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
  check_number(check, http.rules, join(kPath, "rules"));
  if (http.cache) validate_lifetimes(check, *http.cache);
}

}  // namespace postern::config
