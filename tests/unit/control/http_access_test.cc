// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_access.h"

#include <catch2/catch.hpp>
#include <ctime>

namespace postern {
namespace {

config::HttpRule rule(const std::string& name, config::HttpAction action) {
  config::HttpRule rule;
  rule.name = name;
  rule.action = action;
  return rule;
}

http::UrlVerdict judge(const HttpAccess& access, const std::vector<uint32_t>& principals) {
  http::UrlQuestion question;
  question.url = "http://www.example.com/games/";
  question.host = "www.example.com";
  question.path = "/games/";
  question.principals = principals;
  return access.rules()->judge(question);
}

}  // namespace

TEST_CASE("control/http_access: rules for users are judged by the numbers of accounts", "[F57]") {
  accounts::PrincipalIds ids;
  config::Http http;
  http.rules = {rule("hr", config::HttpAction::permit), rule("off", config::HttpAction::deny),
                rule("known", config::HttpAction::permit), rule("all", config::HttpAction::deny)};
  http.rules[0].users = {"anna", "group:hr"};
  http.rules[0].hosts = {"a.example", "*.example.com"};
  http.rules[0].paths = {"/games/", "/more/"};
  http.rules[1].enabled = false;
  http.rules[2].users = {"any"};
  http.rules[2].hosts = {"b.example"};
  const auto access = HttpAccess::make(http, {}, ids);
  REQUIRE(access);
  CHECK(access->rules()->size() == 6);
  CHECK(access->rules()->rule(3).name == "hr");
  CHECK(access->rules()->rule(4).name == "known");
  const uint32_t anna = ids.user("anna"), hr = ids.group("hr"), bert = ids.user("bert");
  CHECK(judge(*access, {anna, kAnyUser}).action == http::UrlAction::permit);
  CHECK(judge(*access, {hr, kAnyUser}).action == http::UrlAction::permit);
  CHECK(judge(*access, {bert, kAnyUser}).action == http::UrlAction::deny);
  CHECK(judge(*access, {}).may_change_by_login);
}

TEST_CASE("control/http_access: without rules in force there is nothing to judge by", "[F57]") {
  accounts::PrincipalIds ids;
  config::Http http;
  http.rules = {rule("off", config::HttpAction::deny)};
  http.rules[0].enabled = false;
  const auto access = HttpAccess::make(http, {}, ids);
  REQUIRE(access);
  CHECK(access->rules() == nullptr);
}

TEST_CASE(
    "control/http_access: what the cache has of its own for some URLs, the first that matches",
    "[F55]") {
  accounts::PrincipalIds ids;
  config::Http http;
  auto& lifetimes = http.cache.emplace().lifetimes;
  lifetimes.resize(3);
  lifetimes[0].hosts = {"a.example", "*.b.example"};
  lifetimes[0].paths = {"/live/", "/*.m3u8"};
  lifetimes[0].never = true;
  lifetimes[1].hosts = {"*.b.example"};
  lifetimes[1].contains = ".deb";
  lifetimes[1].lifetime = milliseconds(1'500);
  lifetimes[1].largest_object = uint64_t{4} << 30;
  lifetimes[1].ignore_server_lifetimes = true;
  lifetimes[2].pattern = "[.]txt$";
  lifetimes[2].always_revalidate = true;
  const auto access = HttpAccess::make(http, {}, ids);
  REQUIRE(access);
  CHECK(access->rules() == nullptr);
  REQUIRE(access->keep_rules());
  CHECK(access->keep_rules()->size() == 6);
  const auto find = [&](const std::string& host, const std::string& path) {
    const std::string url = "http://" + host + path;
    http::UrlQuestion question;
    question.url = url;
    question.host = host;
    question.path = path;
    return access->keep_rules()->find(question);
  };
  REQUIRE(find("a.example", "/live/1"));
  CHECK(find("a.example", "/live/1")->is_never_kept);
  CHECK(find("x.b.example", "/x.m3u8")->is_never_kept);
  const http::KeepRule* deb = find("x.b.example", "/pool/a.deb");
  REQUIRE(deb);
  CHECK_FALSE(deb->is_never_kept);
  CHECK(deb->lifetime_s == 1);
  CHECK(deb->object_octets_max == int64_t{4} << 30);
  CHECK(deb->ignores_server_lifetimes == true);
  const http::KeepRule* text = find("c.example", "/a.txt");
  REQUIRE(text);
  CHECK(text->always_validates);
  CHECK_FALSE(text->lifetime_s);
  CHECK_FALSE(text->object_octets_max);
  CHECK_FALSE(text->ignores_server_lifetimes);
  CHECK(find("a.example", "/") == nullptr);
  http.cache->lifetimes.clear();
  CHECK(HttpAccess::make(http, {}, ids)->keep_rules() == nullptr);
}

TEST_CASE("control/http_access: times are those of the local week", "[F57]") {
  setenv("TZ", "UTC", 1);
  tzset();
  accounts::PrincipalIds ids;
  config::Http http;
  http.rules = {rule("office", config::HttpAction::deny)};
  http.rules[0].when = {"mon-fri 08:00-18:00"};
  const auto access = HttpAccess::make(http, {}, ids);
  REQUIRE(access);
  constexpr std::time_t kMonday = 1'772'409'600;  // 2026-03-02T00:00:00Z
  CHECK_FALSE(access->holds(0, kMonday));
  CHECK(access->holds(0, kMonday + 8 * 3600));
  CHECK_FALSE(access->holds(0, kMonday + 18 * 3600));
  CHECK_FALSE(access->holds(0, kMonday + 5 * 86'400 + 9 * 3600));
  CHECK_FALSE(access->holds(1, kMonday + 9 * 3600));
}

}  // namespace postern
