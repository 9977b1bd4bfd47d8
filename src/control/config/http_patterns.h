// SPDX-License-Identifier: BSD-3-Clause
// Rules and lifetimes of services.http as the matcher of URLs takes them (services/http/access):
// one for each pair of a host and a path. Pure; thread: any.
#pragma once

#include <string>
#include <vector>

#include "control/config/model.h"
#include "services/http/access/url_rules.h"
#include "services/http/proxy/keep_rules.h"

namespace postern::config {

// What a rule has beside hosts, paths, users and times, and its name.
http::UrlRule url_rule_of(const HttpRule& rule);
// `common` for each host with each path; no hosts or no paths: every one.
std::vector<http::UrlRule> spread(http::UrlRule common, const std::vector<std::string>& hosts,
                                  const std::vector<std::string>& paths);

// The lifetimes of a cache, in their order.
std::vector<http::KeepRule> keep_rules_of(const HttpCache& cache);

}  // namespace postern::config
