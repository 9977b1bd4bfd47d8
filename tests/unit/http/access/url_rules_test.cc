// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/access/url_rules.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

namespace postern::http {
namespace {

struct Client {
  std::vector<uint32_t> principals = {};
  std::vector<uint32_t> times = {};
};

// The rule that decides about http://HOST PATH; -1: none.
int decided(const UrlRules& rules, std::string_view host, std::string_view path,
            const Client& client = {}, UrlVerdict* verdict = nullptr) {
  const std::string url = "http://" + std::string(host) + std::string(path);
  const std::function<bool(uint32_t)> holds = [&](uint32_t time) {
    return std::find(client.times.begin(), client.times.end(), time) != client.times.end();
  };
  const UrlVerdict result = rules.judge({url, host, path, client.principals, &holds});
  if (verdict != nullptr) *verdict = result;
  return result.rule ? static_cast<int>(*result.rule) : -1;
}

UrlRules compiled(std::vector<UrlRule> rules, UrlAction otherwise = UrlAction::permit) {
  Result<UrlRules> result = UrlRules::compile(std::move(rules), otherwise);
  REQUIRE(result);
  return std::move(result).value();
}

std::string fault_of(std::vector<UrlRule> rules) {
  const Result<UrlRules> result = UrlRules::compile(std::move(rules), UrlAction::deny);
  REQUIRE_FALSE(result);
  return result.error().text;
}

}  // namespace

TEST_CASE("http/url_rules: the first rule that matches decides") {
  const UrlRules rules = compiled({{.substring = "blocked", .message = "no"},
                                   {.host = "www.example.com", .action = UrlAction::permit},
                                   {.host = "*.example.com"},
                                   {.path = "/*.exe"}});
  UrlVerdict verdict;
  CHECK(decided(rules, "www.example.com", "/", {}, &verdict) == 1);
  CHECK(verdict.action == UrlAction::permit);
  CHECK(decided(rules, "www.example.com", "/BLOCKED/", {}, &verdict) == 0);
  CHECK(verdict.action == UrlAction::deny);
  CHECK(rules.rule(0).message == "no");
  CHECK(decided(rules, "ftp.example.com", "/") == 2);
  CHECK(decided(rules, "a.b.Example.COM", "/") == 2);
  CHECK(decided(rules, "example.com", "/") == -1);
  CHECK(decided(rules, "notexample.com", "/") == -1);
  CHECK(decided(rules, "notexample.com", "/a.EXE") == 3);
  CHECK(decided(rules, "www.example.com.", "/") == 1);
  CHECK(rules.size() == 4);
}

TEST_CASE("http/url_rules: all that a rule names must match") {
  const UrlRules rules = compiled({{.host = "a.example",
                                    .path = "/x/",
                                    .substring = "y",
                                    .expression = "z[0-9]+$",
                                    .principals = {7, 3},
                                    .time = 2}});
  const Client client{{3}, {2}};
  CHECK(decided(rules, "a.example", "/x/yz1", client) == 0);
  CHECK(decided(rules, "b.example", "/x/yz1", client) == -1);
  CHECK(decided(rules, "a.example", "/w/yz1", client) == -1);
  CHECK(decided(rules, "a.example", "/x/z1", client) == -1);
  CHECK(decided(rules, "a.example", "/x/yz", client) == -1);
  CHECK(decided(rules, "a.example", "/x/yz1", {{4}, {2}}) == -1);
  CHECK(decided(rules, "a.example", "/x/yz1", {{3}, {1}}) == -1);
}

TEST_CASE("http/url_rules: what nobody named is decided by the last word") {
  UrlVerdict verdict;
  CHECK(decided(compiled({}, UrlAction::deny), "a", "/", {}, &verdict) == -1);
  CHECK(verdict.action == UrlAction::deny);
  CHECK(decided(compiled({{.host = "*"}}), "a", "/") == 0);
}

TEST_CASE("http/url_rules: a rule for users asks who is not known to log in") {
  const UrlRules rules =
      compiled({{.host = "a.example", .principals = {5}, .action = UrlAction::permit},
                {.host = "a.example"}});
  UrlVerdict verdict;
  CHECK(decided(rules, "a.example", "/", {}, &verdict) == 1);
  CHECK(verdict.may_change_by_login);
  CHECK(decided(rules, "a.example", "/", {{4}}, &verdict) == 1);
  CHECK_FALSE(verdict.may_change_by_login);
  CHECK(decided(rules, "a.example", "/", {{4, 5}}, &verdict) == 0);
  CHECK(verdict.action == UrlAction::permit);
  CHECK(decided(rules, "b.example", "/", {}, &verdict) == -1);
  CHECK_FALSE(verdict.may_change_by_login);
}

TEST_CASE("http/url_rules: CONNECT tells a host and no path") {
  const UrlRules rules = compiled({{.host = "a.example", .path = "/"}, {.host = "a.example"}});
  CHECK(rules.judge({"a.example:443", "a.example", "", {}, nullptr}).rule == 1u);
  CHECK(rules.judge({"http://[2001:db8::1]/", "2001:db8::1", "/", {}, nullptr}).rule ==
        std::nullopt);
  const UrlRules addresses = compiled({{.host = "[2001:db8::1]"}, {.host = "192.0.2.1"}});
  CHECK(addresses.judge({"http://[2001:db8::1]/", "2001:db8::1", "/", {}, nullptr}).rule == 0u);
  CHECK(addresses.judge({"http://192.0.2.1/", "192.0.2.1", "/", {}, nullptr}).rule == 1u);
}

TEST_CASE("http/url_rules: what cannot be meant is named, all of it") {
  const std::string faults = fault_of({{.host = "good.example"},
                                       {.host = "bad..example", .expression = "(a"},
                                       {.path = "nowhere"},
                                       {.expression = "[z-a]"},
                                       {.substring = std::string(kPatternMax + 1, 'x')}});
  CHECK(faults.find("rules[0]") == std::string::npos);
  CHECK(faults.find("rules[1].host: neither the name of a host nor an address: bad..example\n") !=
        std::string::npos);
  CHECK(faults.find("rules[1].expression: (a: missing )") != std::string::npos);
  CHECK(faults.find("rules[2].path: does not begin with \"/\" or \"*\": nowhere\n") !=
        std::string::npos);
  CHECK(faults.find("rules[3].expression: [z-a]: invalid character class range") !=
        std::string::npos);
  CHECK(faults.find("rules[4].a pattern of more than 1024 octets") != std::string::npos);
  CHECK_FALSE(UrlRules::compile(std::vector<UrlRule>(kUrlRulesMax + 1), UrlAction::deny));
}

TEST_CASE("http/url_rules: an expression has a bound of memory") {
  CHECK(fault_of({{.expression = "((a{100}){100}){100}"}}).find("rules[0].expression") == 0);
  std::string large;
  for (int part = 0; part < 100; ++part)
    large += "[a-c]{999}";
  CHECK(fault_of({{.expression = large}}).find("pattern too large") != std::string::npos);
}

TEST_CASE("http/url_rules: many expressions decide as one by one") {
  std::vector<UrlRule> list;
  for (int number = 0; number < 1000; ++number)
    list.push_back({.expression = "/item" + std::to_string(number) + "(\\.html)?$"});
  const UrlRules rules = compiled(list);
  for (const int number : {0, 1, 500, 999}) {
    CHECK(decided(rules, "a.example", "/item" + std::to_string(number)) == number);
    CHECK(decided(rules, "a.example", "/item" + std::to_string(number) + ".html") == number);
  }
  CHECK(decided(rules, "a.example", "/item1000x") == -1);
}

}  // namespace postern::http
