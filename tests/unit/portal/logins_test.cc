// SPDX-License-Identifier: BSD-3-Clause
#include "services/portal/logins.h"

#include <catch2/catch.hpp>

namespace postern::portal {
namespace {

const Ipv4Address kHost = Ipv4Address(0xC0A8010A);

Login login_at(Ipv4Address address, Instant since) {
  Login login;
  login.address = address;
  login.user = "anna";
  login.cookie = "abc";
  login.since = login.last_page = since;
  return login;
}

Instant at_s(int64_t s) {
  return Instant{} + seconds(s);
}

}  // namespace

TEST_CASE("portal/logins: each limit ends a login, none of 0 does", "[F27]") {
  Logins logins;
  REQUIRE(logins.add(login_at(kHost, at_s(100))));
  Instant seen = at_s(100);
  auto due = [&](const Limits& limits, int64_t now_s) -> std::string {
    auto ends = logins.due(limits, at_s(now_s), [&](Ipv4Address) { return seen; });
    return ends.empty() ? "" : to_word(ends[0].why);
  };
  CHECK(due({}, 1'000'000) == "");
  CHECK(due({{}, seconds(60), {}}, 159) == "");
  CHECK(due({{}, seconds(60), {}}, 160) == "time-over");
  CHECK(due({{}, {}, seconds(60)}, 159) == "");
  CHECK(due({{}, {}, seconds(60)}, 160) == "silent");
  CHECK(due({seconds(60), {}, {}}, 159) == "");
  CHECK(due({seconds(60), {}, {}}, 160) == "idle");
  seen = at_s(150);
  CHECK(due({seconds(60), {}, {}}, 209) == "");
  CHECK(due({seconds(60), {}, {}}, 210) == "idle");
  // A look at the page is a sign of life as well.
  logins.find(kHost)->last_page = at_s(200);
  CHECK(due({seconds(60), {}, {}}, 259) == "");
  CHECK(due({seconds(60), {}, {}}, 260) == "idle");
}

TEST_CASE("portal/logins: one an address, and so many in all", "[F27]") {
  Logins logins;
  REQUIRE(logins.add(login_at(kHost, {})));
  CHECK_FALSE(logins.add(login_at(kHost, {})));
  for (uint32_t i = 1; i < kLoginsMax; ++i)
    REQUIRE(logins.add(login_at(Ipv4Address(kHost.number + i), {})));
  CHECK_FALSE(logins.add(login_at(Ipv4Address(kHost.number + kLoginsMax), {})));
  logins.erase(kHost);
  CHECK(logins.find(kHost) == nullptr);
  CHECK(logins.add(login_at(Ipv4Address(kHost.number + kLoginsMax), {})));
}

TEST_CASE("portal/logins: the browser is known by the whole cookie", "[F27]") {
  Login login = login_at(kHost, {});
  CHECK(Logins::is_browser_of(login, "abc"));
  for (const char* other : {"", "ab", "abd", "abcd"})
    CHECK_FALSE(Logins::is_browser_of(login, other));
  login.cookie.clear();
  CHECK_FALSE(Logins::is_browser_of(login, ""));
}

}  // namespace postern::portal
