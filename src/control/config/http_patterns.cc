// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/http_patterns.h"

#include <algorithm>

#include "base/time.h"

namespace postern::config {

http::UrlRule url_rule_of(const HttpRule& rule) {
  http::UrlRule common;
  common.substring = rule.contains;
  common.expression = rule.pattern;
  common.action =
      rule.action == HttpAction::permit ? http::UrlAction::permit : http::UrlAction::deny;
  common.message = rule.message;
  common.name = rule.name;
  return common;
}

std::vector<http::UrlRule> spread(http::UrlRule common, const std::vector<std::string>& hosts,
                                  const std::vector<std::string>& paths) {
  static const std::vector<std::string> every = {""};
  const auto& all_hosts = hosts.empty() ? every : hosts;
  const auto& all_paths = paths.empty() ? every : paths;
  std::vector<http::UrlRule> rules;
  rules.reserve(all_hosts.size() * all_paths.size());
  for (const std::string& host : all_hosts) {
    for (const std::string& path : all_paths) {
      common.host = host;
      common.path = path;
      rules.push_back(common);
    }
  }
  return rules;
}

std::vector<http::KeepRule> keep_rules_of(const HttpCache& cache) {
  constexpr int64_t kSecond = seconds(1).ns;
  std::vector<http::KeepRule> rules;
  rules.reserve(cache.lifetimes.size());
  for (const HttpLifetime& lifetime : cache.lifetimes) {
    http::KeepRule rule;
    rule.is_never_kept = lifetime.never;
    rule.always_validates = lifetime.always_revalidate;
    if (lifetime.lifetime) rule.lifetime_s = lifetime.lifetime->ns / kSecond;
    if (lifetime.largest_object)
      rule.object_octets_max = static_cast<int64_t>(*lifetime.largest_object);
    rule.ignores_server_lifetimes = lifetime.ignore_server_lifetimes;
    http::UrlRule common;
    common.substring = lifetime.contains;
    common.expression = lifetime.pattern;
    for (http::UrlRule& url : spread(std::move(common), lifetime.hosts, lifetime.paths)) {
      rule.url = std::move(url);
      rules.push_back(rule);
    }
  }
  return rules;
}

}  // namespace postern::config
