// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/freshness.h"

#include <catch2/catch.hpp>

#include "unit/http/rules/fields_of.h"

namespace postern::http {
namespace {

const std::string kDate = date_text(kNow);

int64_t lifetime(std::initializer_list<Field> fields, unsigned status = 200,
                 const StoreRules& rules = {}) {
  return stored_at_now(fields_of(fields), status, rules).lifetime_s;
}

StoredFacts with_control(std::string_view control) {
  return stored_at_now(fields_of({{"Date", kDate}, {"Cache-Control", control}}));
}

Reuse use(std::string_view response, std::string_view request, int64_t after_s) {
  return reuse_of(with_control(response),
                  read_request_control(fields_of({{"Cache-Control", request}})), kNow + after_s);
}

}  // namespace

TEST_CASE("http/freshness: the first of s-maxage, max-age and Expires is the lifetime",
          "[RFC9111-4.2.1][RFC9111-5.2.2.10][RFC9111-5.3]") {
  const std::string later = date_text(kNow + 3600);
  const std::string earlier = date_text(kNow - 3600);
  CHECK(lifetime({{"Cache-Control", "max-age=3600, s-maxage=1"}}) == 1);
  CHECK(lifetime({{"Cache-Control", "s-maxage=1, max-age=3600"}}) == 1);
  CHECK(lifetime({{"Cache-Control", "max-age=0, s-maxage=9"}, {"Expires", earlier}}) == 9);
  CHECK(lifetime({{"Cache-Control", "max-age=5"}, {"Expires", earlier}}) == 5);
  CHECK(lifetime({{"Cache-Control", "max-age=0"}, {"Expires", later}}) == 0);
  CHECK(lifetime({{"Cache-Control", "max-age=5"}, {"Expires", "0"}}) == 5);
  CHECK(lifetime({{"Date", kDate}, {"Expires", later}}) == 3600);
  CHECK(lifetime({{"Date", kDate}, {"Expires", kDate}}) == 0);
  CHECK(lifetime({{"Date", kDate}, {"Expires", earlier}}) == 0);
  CHECK(lifetime({{"Date", later}, {"Expires", kDate}}) == 0);
  // Without a Date that can be read, the time at which it came stands in.
  CHECK(lifetime({{"Date", "foo"}, {"Expires", later}}) == 3600);
  CHECK(lifetime({{"Expires", later}}) == 3600);
  CHECK(lifetime({{"Date", kDate}, {"Expires", "Sun, 21 Nov 2286 04:46:39 GMT"}}) == kDeltaMax);
}

TEST_CASE("http/freshness: an Expires that is no date has passed", "[RFC9111-5.3]") {
  for (const char* text :
       {"0", "-1", "", "Thu, 18 Aug 2050 02:01:18 UTC", "Thu, 18 Aug 2050 02:01:18 AEST",
        "Thu, 18 Aug 50 02:01:18 GMT", "Thu 18 Aug 2050 02:01:18 GMT",
        "Thu, 18  Aug  2050 02:01:18 GMT", "Thu, 18-Aug-2050 02:01:18 GMT",
        "Thu, 18 Aug 2050 02.01.18 GMT", "Thu, 18 Aug 2050 2:01:18 GMT"}) {
    CAPTURE(text);
    const StoredFacts facts = stored_at_now(fields_of({{"Date", kDate}, {"Expires", text}}));
    CHECK(facts.lifetime == Lifetime::explicit_);
    CHECK(facts.lifetime_s == 0);
  }
  for (const char* text : {"Thursday, 18-Aug-50 02:01:18 GMT", "Thu Aug 18 02:01:18 2050",
                           "THU, 18 AUG 2050 02:01:18 gMT"}) {
    CAPTURE(text);
    CHECK(lifetime({{"Date", kDate}, {"Expires", text}}) > 0);
  }
  const std::string later = date_text(kNow + 60);
  const std::string latest = date_text(kNow + 90);
  CHECK(lifetime({{"Date", kDate}, {"Expires", latest}, {"Expires", later}}) == 60);
  CHECK(lifetime({{"Date", kDate}, {"Expires", latest}, {"Expires", "0"}}) == 0);
}

TEST_CASE("http/freshness: without a lifetime a tenth of the time since the last change",
          "[RFC9111-4.2.2]") {
  const std::string yesterday = date_text(kNow - 86400);
  const std::string long_ago = date_text(kNow - 86400 * 1000);
  const std::string tomorrow = date_text(kNow + 86400);
  const auto guessed = [](const std::string& modified, unsigned status) {
    return lifetime({{"Date", kDate}, {"Last-Modified", modified}}, status);
  };
  for (const unsigned status : {200u, 203u, 204u, 206u, 300u, 301u, 308u, 404u, 405u, 410u, 414u})
    CHECK(guessed(yesterday, status) == 8640);
  for (const unsigned status : {201u, 202u, 302u, 403u, 502u, 503u, 504u, 599u})
    CHECK(guessed(yesterday, status) == 0);
  CHECK(guessed(long_ago, 200) == 86400);
  CHECK(guessed(tomorrow, 200) == 0);
  CHECK(lifetime({{"Date", kDate}, {"Last-Modified", yesterday}, {"Cache-Control", "public"}},
                 599) == 8640);
  // Never where the server says how long.
  CHECK(lifetime({{"Date", kDate}, {"Last-Modified", yesterday}, {"Expires", "0"}}) == 0);
  CHECK(lifetime({{"Date", kDate}}) == 0);
}

TEST_CASE("http/freshness: the office has a word where the server has none") {
  StoreRules rules;
  rules.default_lifetime_s = 100;
  const std::string yesterday = date_text(kNow - 86400);
  CHECK(lifetime({{"Date", kDate}}, 200, rules) == 100);
  CHECK(lifetime({{"Date", kDate}}, 503, rules) == 0);
  CHECK(lifetime({{"Date", kDate}, {"Last-Modified", yesterday}}, 200, rules) == 8640);
  rules.url_lifetime_s = 50;
  CHECK(lifetime({{"Date", kDate}, {"Last-Modified", yesterday}}, 200, rules) == 50);
  CHECK(lifetime({{"Cache-Control", "max-age=5"}}, 200, rules) == 5);
  rules.ignores_server_lifetimes = true;
  const Fields strict = fields_of({{"Cache-Control", "no-cache, must-revalidate, max-age=0"}});
  const StoredFacts facts = stored_at_now(strict, 200, rules);
  CHECK(facts.lifetime_s == 50);
  CHECK_FALSE(facts.always_validate);
  CHECK_FALSE(facts.validate_when_stale);
}

TEST_CASE("http/freshness: the age is what the clocks or the caches before us say",
          "[RFC9111-4.2.3]") {
  const auto age = [](std::initializer_list<Field> fields, int64_t asked_before_s = 0) {
    const Fields response = fields_of(fields);
    const StoredFacts facts =
        facts_of(ResponseView{200, &response}, Moments{kNow - asked_before_s, kNow}, {});
    return age_of(facts, kNow + 7);
  };
  const std::string slow = date_text(kNow - 10);
  const std::string fast = date_text(kNow + 10);
  CHECK(age({}) == 7);
  CHECK(age({{"Date", kDate}}) == 7);
  CHECK(age({{"Date", slow}}) == 17);
  CHECK(age({{"Date", fast}}) == 7);
  CHECK(age({{"Date", slow}, {"Age", "25"}}) == 32);
  CHECK(age({{"Date", slow}, {"Age", "2"}}) == 17);
  CHECK(age({{"Date", fast}, {"Age", "15"}}) == 22);
  // What the answer took counts from when it was asked for.
  CHECK(age({{"Date", kDate}, {"Age", "15"}}, 5) == 27);
  CHECK(age({{"Date", kDate}}, -5) == 7);
  CHECK(age({{"Age", "99999999999999999999"}}) == kDeltaMax);
  // A clock that is put back.
  CHECK(age_of(with_control("max-age=9"), kNow - 1000) == 0);
}

TEST_CASE("http/freshness: of several Age the first counts, and none that is no number",
          "[RFC9111-5.1]") {
  const auto read = [](std::string_view first, std::string_view second) {
    return read_age(fields_of({{"Age", first}, {"Age", second}}));
  };
  CHECK(read("7200", "0") == 7200);
  CHECK(read("0", "7200") == 0);
  CHECK(read("7200, 0", "") == 7200);
  CHECK(read("0, 7200", "") == 0);
  CHECK(read("2147483649", "") == kDeltaMax);
  for (const char* text : {"abc", "-7200", "7200.0", "7200;foo=bar", "7200;foo=1", "\"7200\""}) {
    CAPTURE(text);
    CHECK_FALSE(read(text, "3"));
  }
  CHECK_FALSE(read_age(fields_of({})));
}

TEST_CASE("http/freshness: fresh until the age reaches the lifetime", "[RFC9111-4.2]") {
  CHECK(use("max-age=2", "", 0) == Reuse::fresh);
  CHECK(use("max-age=2", "", 1) == Reuse::fresh);
  CHECK(use("max-age=2", "", 2) == Reuse::must_validate);
  CHECK(use("max-age=0", "", 0) == Reuse::must_validate);
  CHECK(use("max-age=99999999999", "", 3600) == Reuse::fresh);
  CHECK(freshness_left(with_control("max-age=2"), kNow + 5) == -3);
}

TEST_CASE("http/freshness: no-cache of either side asks the origin each time",
          "[RFC9111-5.2.1.4][RFC9111-5.2.2.4]") {
  CHECK(use("max-age=100, no-cache", "", 0) == Reuse::must_validate);
  CHECK(use("max-age=100, no-cache", "max-stale", 0) == Reuse::must_validate);
  CHECK(use("max-age=100, No-CaChE=\"a\"", "", 0) == Reuse::fresh);
  CHECK(use("max-age=100", "no-cache", 0) == Reuse::must_validate);
  StoredFacts invalidated = with_control("max-age=100");
  invalidated.is_invalidated = true;
  CHECK(reuse_of(invalidated, {}, kNow) == Reuse::must_validate);
}

TEST_CASE("http/freshness: the client says how old is too old", "[RFC9111-5.2.1.1]") {
  CHECK(use("max-age=100", "max-age=3", 3) == Reuse::fresh);
  CHECK(use("max-age=100", "max-age=3", 4) == Reuse::must_validate);
  CHECK(use("max-age=100", "max-age=0", 0) == Reuse::must_validate);
  CHECK(use("max-age=100", "max-age=3, max-stale", 4) == Reuse::must_validate);
}

TEST_CASE("http/freshness: the client says how fresh it must be", "[RFC9111-5.2.1.3]") {
  CHECK(use("max-age=1500", "min-fresh=2000", 0) == Reuse::must_validate);
  CHECK(use("max-age=1500", "min-fresh=1000", 500) == Reuse::fresh);
  CHECK(use("max-age=1500", "min-fresh=1000", 501) == Reuse::must_validate);
}

TEST_CASE("http/freshness: the client says how stale it may be", "[RFC9111-5.2.1.2]") {
  CHECK(use("max-age=2", "max-stale=1000", 1002) == Reuse::stale_allowed);
  CHECK(use("max-age=2", "max-stale=1000", 1003) == Reuse::must_validate);
  CHECK(use("max-age=2", "max-stale", 100000) == Reuse::stale_allowed);
  CHECK(use("max-age=2", "max-stale=x", 2) == Reuse::stale_allowed);
  CHECK(use("max-age=2", "max-stale=x", 3) == Reuse::must_validate);
}

TEST_CASE("http/freshness: what the server forbids when stale nobody allows",
          "[RFC9111-5.2.2.2][RFC9111-5.2.2.8][RFC9111-4.2.4]") {
  for (const char* control :
       {"max-age=2, must-revalidate", "max-age=2, proxy-revalidate", "max-age=2, s-maxage=2"}) {
    CAPTURE(control);
    const std::string text = std::string(control) + ", stale-while-revalidate=99";
    CHECK(use(text, "max-stale", 1) == Reuse::fresh);
    CHECK(use(text, "max-stale", 3) == Reuse::must_validate);
    CHECK(use(text, "", 3) == Reuse::must_validate);
  }
}

TEST_CASE("http/freshness: stale while it is validated, for as long as the server says",
          "[RFC5861-3]") {
  CHECK(use("max-age=1, stale-while-revalidate=4", "", 0) == Reuse::fresh);
  CHECK(use("max-age=1, stale-while-revalidate=4", "", 1) == Reuse::stale_while_revalidated);
  CHECK(use("max-age=1, stale-while-revalidate=4", "", 5) == Reuse::stale_while_revalidated);
  CHECK(use("max-age=1, stale-while-revalidate=4", "", 6) == Reuse::must_validate);
  CHECK(use("max-age=1, stale-while-revalidate=4", "max-age=10", 3) == Reuse::must_validate);
  CHECK(use("max-age=1, stale-while-revalidate=4", "min-fresh=0", 3) == Reuse::must_validate);
  CHECK(use("max-age=1, stale-while-revalidate=4, no-cache", "", 3) == Reuse::must_validate);
}

TEST_CASE("http/freshness: what can be of no use later is not kept", "[RFC9111-3]") {
  const auto keeps = [](std::initializer_list<Field> fields) {
    return is_worth_keeping(stored_at_now(fields_of(fields)));
  };
  CHECK(keeps({{"Cache-Control", "max-age=1"}}));
  CHECK(keeps({{"Cache-Control", "no-cache"}, {"ETag", "\"a\""}}));
  CHECK(keeps({{"Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"}}));
  CHECK(keeps({{"Cache-Control", "max-age=0, stale-while-revalidate=9"}}));
  CHECK(keeps({{"Cache-Control", "max-age=0, stale-if-error=9"}}));
  CHECK_FALSE(keeps({}));
  CHECK_FALSE(keeps({{"Cache-Control", "no-cache, max-age=99"}}));
  CHECK_FALSE(keeps({{"Cache-Control", "max-age=9"}, {"Age", "9"}}));
}

TEST_CASE("http/freshness: cookies are for all where the server says for how long",
          "[RFC9111-7.3]") {
  StoreRules rules;
  rules.default_lifetime_s = 60;
  const auto shares = [&](std::initializer_list<Field> fields) {
    const Fields response = fields_of(fields);
    return shares_cookies(ResponseView{200, &response}, stored_at_now(response, 200, rules));
  };
  const Field cookie = {"Set-Cookie", "a=b"};
  CHECK(shares({}));
  CHECK(shares({cookie, {"Cache-Control", "max-age=9"}}));
  CHECK(shares({cookie, {"Cache-Control", "public"}}));
  CHECK_FALSE(shares({cookie}));
  CHECK_FALSE(shares({cookie, {"Last-Modified", "Thu, 01 Jan 2015 00:00:00 GMT"}}));
  CHECK_FALSE(shares({cookie, {"ETag", "\"a\""}, {"Cache-Control", "max-age=0"}}));
  CHECK_FALSE(shares({cookie, {"ETag", "\"a\""}, {"Cache-Control", "no-cache, max-age=9"}}));
  rules.url_lifetime_s = 60;
  rules.ignores_server_lifetimes = true;
  CHECK_FALSE(shares({cookie, {"Cache-Control", "max-age=9"}}));
}

}  // namespace postern::http
