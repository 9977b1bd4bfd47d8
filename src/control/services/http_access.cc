// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_access.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "control/compile/schedule.h"
#include "control/config/http_patterns.h"
#include "control/config/user_items.h"

namespace postern {
namespace {

// Of the page, while nobody knows what the rules would say.
constexpr char kNotReady[] =
    "The proxy has no rules to judge by. The administrator finds out why with: postern status";

uint32_t number_of(const std::string& item, accounts::PrincipalIds& ids) {
  const auto user = config::parse_user_item(item);
  if (!user || user->kind == config::UserItem::Kind::any) return kAnyUser;
  return user->kind == config::UserItem::Kind::user ? ids.user(user->name) : ids.group(user->name);
}

}  // namespace

std::shared_ptr<const http::UrlRules> rules_of_nothing() {
  http::UrlRule every;
  every.message = kNotReady;
  auto compiled = http::UrlRules::compile({std::move(every)}, http::UrlAction::deny);
  POSTERN_ASSERT(compiled);
  return std::make_shared<const http::UrlRules>(std::move(*compiled));
}

http::Identity http_identity(const config::User& user, accounts::Accounts& accounts) {
  http::Identity identity;
  identity.user = user.name;
  identity.principals.push_back(accounts.ids().user(user.name));
  for (const std::string& group : accounts.book().groups_of(user))
    identity.principals.push_back(accounts.ids().group(group));
  // What found no number is nobody's.
  std::erase(identity.principals, accounts::kNoPrincipal);
  std::sort(identity.principals.begin(), identity.principals.end());
  identity.principals.push_back(kAnyUser);
  return identity;
}

Result<HttpAccess> HttpAccess::make(const config::Http& http, const config::Objects& objects,
                                    accounts::PrincipalIds& ids) {
  HttpAccess access;
  std::vector<http::UrlRule> rules;
  for (const config::HttpRule& rule : http.rules) {
    if (!rule.enabled) continue;
    http::UrlRule common = config::url_rule_of(rule);
    for (const std::string& item : rule.users)
      common.principals.push_back(number_of(item, ids));
    std::sort(common.principals.begin(), common.principals.end());
    if (!rule.when.empty()) {
      auto times = config::resolve_times(objects, rule.when);
      if (!times) return std::move(times).error().within("services.http.rules." + rule.name);
      common.time = static_cast<uint32_t>(access.times_.size());
      access.times_.push_back(std::move(*times));
    }
    for (http::UrlRule& one : config::spread(std::move(common), rule.hosts, rule.paths))
      rules.push_back(std::move(one));
  }
  if (auto kept = access.compile_lifetimes(http); !kept) return std::move(kept).error();
  if (rules.empty()) return access;
  auto compiled = http::UrlRules::compile(std::move(rules), http::UrlAction::permit);
  if (!compiled) return std::move(compiled).error().within("services.http");
  access.rules_ = std::make_shared<const http::UrlRules>(std::move(*compiled));
  return access;
}

Result<void> HttpAccess::compile_lifetimes(const config::Http& http) {
  if (!http.cache || http.cache->lifetimes.empty()) return {};
  auto compiled = http::KeepRules::compile(config::keep_rules_of(*http.cache));
  if (!compiled) return std::move(compiled).error().within("services.http.cache.lifetimes");
  keep_rules_ = std::make_shared<const http::KeepRules>(std::move(*compiled));
  return {};
}

bool HttpAccess::holds(uint32_t time, std::time_t now) const {
  if (time >= times_.size()) return false;
  const uint32_t minute = minute_of_week(now);
  return std::any_of(times_[time].begin(), times_[time].end(),
                     [minute](const config::WeekInterval& interval) {
                       return interval.first <= minute && minute < interval.last;
                     });
}

}  // namespace postern
