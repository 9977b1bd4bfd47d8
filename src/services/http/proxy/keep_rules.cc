// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/keep_rules.h"

#include <utility>

namespace postern::http {

KeepRules::KeepRules(UrlRules urls, std::vector<KeepRule> rules)
    : urls_(std::move(urls)), rules_(std::move(rules)) {}

Result<KeepRules> KeepRules::compile(std::vector<KeepRule> rules) {
  std::vector<UrlRule> urls;
  urls.reserve(rules.size());
  for (const KeepRule& rule : rules) {
    urls.push_back(rule.url);
    urls.back().principals.clear();
    urls.back().time.reset();
  }
  Result<UrlRules> compiled = UrlRules::compile(std::move(urls), UrlAction::permit);
  if (!compiled) return compiled.error();
  return KeepRules(std::move(*compiled), std::move(rules));
}

const KeepRule* KeepRules::find(const UrlQuestion& question) const {
  const UrlVerdict verdict = urls_.judge(question);
  return verdict.rule ? &rules_[*verdict.rule] : nullptr;
}

StoreRules store_rules(const StoreRules& all, const KeepRule* rule) {
  StoreRules rules = all;
  if (rule == nullptr) return rules;
  if (rule->lifetime_s) rules.url_lifetime_s = rule->lifetime_s;
  if (rule->object_octets_max) rules.object_octets_max = *rule->object_octets_max;
  if (rule->ignores_server_lifetimes)
    rules.ignores_server_lifetimes = *rule->ignores_server_lifetimes;
  return rules;
}

ServeRules serve_rules(const ServeRules& all, const KeepRule* rule) {
  ServeRules rules = all;
  if (rule != nullptr && rule->always_validates) rules.always_validates = true;
  return rules;
}

}  // namespace postern::http
