// SPDX-License-Identifier: BSD-3-Clause
// Which URLs who may fetch: an ordered list of rules, of which the first that matches decides.
//
// A rule matches when all that it names matches: the host ("www.example.com", or "*.example.com"
// for every name below example.com), the path ("/docs/" and all below, "/*.exe"; see
// matches_path()), a substring of the URL, a regular expression (RE2: linear in the length of the
// URL, and within kRegexMemory), one of its principals (users and groups, as numbers that mean
// nothing here) and its time (a number of a predicate that the caller asks). What it does not name
// matches always. A rule with a path does not match CONNECT, which tells none.
//
// Hosts, paths, substrings and expressions are compared without regard to case, as they come from
// people. The URL is the normalised one: scheme://host[:port]/path?query; for CONNECT, host:port.
//
// A look-up asks an index for the rules that name the host of the URL, and goes through those
// without a host beside them; once a few substrings, expressions and parts of paths were tried, all
// others are tried together. Thread: any, read only once built; a look-up takes the lock of RE2's
// own cache now and then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern::http {

constexpr size_t kUrlRulesMax = 10000;
constexpr size_t kPatternMax = 1024;       // octets of a pattern
constexpr int64_t kRegexMemory = 1 << 20;  // octets that one expression may take

enum class UrlAction : uint8_t { permit, deny };

struct UrlRule {
  std::string host = {};                  // empty: every one
  std::string path = {};                  // empty: every one
  std::string substring = {};             // of the whole URL; empty: none is asked for
  std::string expression = {};            // RE2, found anywhere in the URL; empty: none
  std::vector<uint32_t> principals = {};  // users and groups; empty: everybody, known or not
  std::optional<uint32_t> time = {};      // nothing: always
  UrlAction action = UrlAction::deny;
  std::string message = {};  // for the page that refuses
  std::string name = {};     // for logs
};

struct UrlQuestion {
  std::string_view url;
  std::string_view host;                 // without a port, IPv6 without brackets
  std::string_view path;                 // with the query; empty for CONNECT
  std::span<const uint32_t> principals;  // the user and all groups; ascending; empty: not known
  // Whether the predicate of that number holds now; none: every one does.
  const std::function<bool(uint32_t)>* holds = nullptr;
};

struct UrlVerdict {
  UrlAction action = UrlAction::permit;
  std::optional<size_t> rule;  // its index; nothing: none matched
  // A rule that the URL matches was passed over because it names users and the client is not known:
  // where the verdict is no, a log-in may change it (407).
  bool may_change_by_login = false;
};

class UrlRules {
 public:
  struct Compiled;

  // Errors name the rule and its pattern: "rules[3].expression: (a: missing ): (a". All of them are
  // told, one a line.
  static Result<UrlRules> compile(std::vector<UrlRule> rules, UrlAction otherwise);

  UrlRules(UrlRules&&) noexcept;
  UrlRules& operator=(UrlRules&&) noexcept;
  ~UrlRules();

  UrlVerdict judge(const UrlQuestion& question) const;
  const UrlRule& rule(size_t index) const;
  size_t size() const;

 private:
  explicit UrlRules(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace postern::http
