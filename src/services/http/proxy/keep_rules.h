// SPDX-License-Identifier: BSD-3-Clause
// KeepRules: what the office set for some URLs about their being kept: for how long, up to which
// size, never, or only with the word of the origin at each use. An ordered list, of which the first
// that matches counts; what it does not set is as for all URLs.
//
// URLs are matched as those of UrlRules are: by host, path, substring and expression, in time that
// does not grow with the number of rules that name other hosts. Thread: any, read only once built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "services/http/access/url_rules.h"
#include "services/http/rules/decide.h"
#include "services/http/rules/storable.h"

namespace postern::http {

struct KeepRule {
  // Which URLs; its principals and its time have no part in it.
  UrlRule url = {};
  bool is_never_kept = false;                         // nor served from what was kept before
  bool always_validates = false;                      // ServeRules::always_validates
  std::optional<int64_t> lifetime_s = {};             // StoreRules::url_lifetime_s
  std::optional<int64_t> object_octets_max = {};      // that of StoreRules
  std::optional<bool> ignores_server_lifetimes = {};  // that of StoreRules
};

class KeepRules {
 public:
  // Errors as those of UrlRules::compile().
  static Result<KeepRules> compile(std::vector<KeepRule> rules);

  // The rule of the URL, which is normalised; nullptr: none. Good as long as this is.
  const KeepRule* find(const UrlQuestion& question) const;
  size_t size() const { return rules_.size(); }

 private:
  KeepRules(UrlRules urls, std::vector<KeepRule> rules);
  UrlRules urls_;
  std::vector<KeepRule> rules_;  // in the order of urls_
};

// What holds for a URL of that rule, where `all` holds for all; `rule` may be nullptr.
StoreRules store_rules(const StoreRules& all, const KeepRule* rule);
ServeRules serve_rules(const ServeRules& all, const KeepRule* rule);

}  // namespace postern::http
