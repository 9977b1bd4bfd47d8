// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/http_patterns.h"

#include <algorithm>

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
  static const std::vector<std::string> kEvery = {""};
  const auto& all_hosts = hosts.empty() ? kEvery : hosts;
  const auto& all_paths = paths.empty() ? kEvery : paths;
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

}  // namespace postern::config
