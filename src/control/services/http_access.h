// SPDX-License-Identifier: BSD-3-Clause
// services.http.rules -> the URL rules that the proxy judges by (F57): names of users and groups
// become the numbers of the accounts, times become numbers that holds() answers. Beside them, what
// the cache has of its own for some URLs.
//
//   make()           a new configuration, compiled; for thousands of expressions hundreds of ms
//   http_identity()  who a user is in these numbers
//   holds()          whether a time is now
//
// Thread: control.
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/accounts/accounts.h"
#include "control/config/model.h"
#include "control/config/resolve.h"
#include "services/http/access/url_rules.h"
#include "services/http/proxy/keep_rules.h"
#include "services/http/proxy/seams.h"

namespace postern {

// Of whoever is known at all: "any" in the configuration.
constexpr uint32_t kAnyUser = UINT32_MAX;

http::Identity http_identity(const config::User& user, accounts::Accounts& accounts);

class HttpAccess {
 public:
  // Without rules that are enabled there is nothing to judge by: rules() is nullptr.
  static Result<HttpAccess> make(const config::Http& http, const config::Objects& objects,
                                 accounts::PrincipalIds& ids);

  const std::shared_ptr<const http::UrlRules>& rules() const { return rules_; }
  // Of services.http.cache.lifetimes; nullptr: none.
  const std::shared_ptr<const http::KeepRules>& keep_rules() const { return keep_rules_; }
  bool holds(uint32_t time, std::time_t now) const;

 private:
  Result<void> compile_lifetimes(const config::Http& http);

  std::shared_ptr<const http::UrlRules> rules_;
  std::shared_ptr<const http::KeepRules> keep_rules_;
  std::vector<std::vector<config::WeekInterval>> times_;
};

// Those in force while the configured ones cannot be had: nothing is permitted (fail-closed).
std::shared_ptr<const http::UrlRules> rules_of_nothing();

}  // namespace postern
