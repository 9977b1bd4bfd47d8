// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/decide.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "unit/http/rules/fields_of.h"

namespace postern::http {
namespace {

const std::string kDate = date_text(kNow);

// A stored response, and what a request to it comes to so many seconds later.
struct Scene {
  Fields stored;
  StoredFacts facts;
  ServeRules rules;

  explicit Scene(std::initializer_list<Field> fields, unsigned status = 200)
      : stored(fields_of(fields)), facts(stored_at_now(stored, status)) {}

  Decision get(std::initializer_list<Field> request = {}, int64_t after_s = 0) const {
    return decide(read_request("GET", fields_of(request)), Found{.stored = &facts}, kNow + after_s,
                  rules);
  }
  bool survives(unsigned status, int64_t after_s, std::initializer_list<Field> request = {}) const {
    return may_serve_after_failure(read_request("GET", fields_of(request)), Found{.stored = &facts},
                                   status, kNow + after_s, rules);
  }
};

void check(const Decision& decision, Course course, Forwarded why) {
  CHECK(static_cast<int>(decision.course) == static_cast<int>(course));
  CHECK(to_text(decision.why) == to_text(why));
}

}  // namespace

TEST_CASE("http/decide: nothing stored is forwarded, or 504 where that is not wanted",
          "[RFC9111-4][RFC9111-5.2.1.7]") {
  const RequestFacts plain = read_request("GET", {});
  check(decide(plain, {}, kNow, {}), Course::forward, Forwarded::uri_miss);
  check(decide(plain, {.has_variants = true}, kNow, {}), Course::forward, Forwarded::vary_miss);
  const RequestFacts cached = read_request("GET", fields_of({{"Cache-Control", "only-if-cached"}}));
  check(decide(cached, {}, kNow, {}), Course::gateway_timeout, Forwarded::uri_miss);
  check(decide(plain, {}, kNow, {.is_offline = true}), Course::gateway_timeout,
        Forwarded::uri_miss);
}

TEST_CASE("http/decide: what is fresh is served with its age", "[RFC9111-4]") {
  const Scene scene({{"Cache-Control", "max-age=100"}, {"Age", "30"}});
  const Decision decision = scene.get({}, 5);
  check(decision, Course::serve, Forwarded::no);
  CHECK(decision.age_s == 35);
  CHECK(decision.ttl_s == 65);
  check(scene.get({{"Cache-Control", "only-if-cached"}}), Course::serve, Forwarded::no);
  check(scene.get({{"Cookie", "a=b"}}), Course::serve, Forwarded::no);
  check(scene.get({{"Cache-Control", "no-store"}}), Course::serve, Forwarded::no);
}

TEST_CASE("http/decide: what is stale is validated, or asked for anew", "[RFC9111-4.3.1]") {
  const Scene tagged({{"Cache-Control", "max-age=2"}, {"ETag", "\"a\""}});
  check(tagged.get({}, 2), Course::validate, Forwarded::stale);
  check(tagged.get({{"Cache-Control", "only-if-cached"}}, 2), Course::gateway_timeout,
        Forwarded::stale);
  const Scene plain({{"Cache-Control", "max-age=2"}});
  check(plain.get({}, 2), Course::forward, Forwarded::stale);
  const Scene demanding({{"Cache-Control", "no-cache, max-age=9"}, {"ETag", "\"a\""}});
  check(demanding.get(), Course::validate, Forwarded::stale);
}

TEST_CASE("http/decide: the client may want the origin's word", "[RFC9111-5.2.1.4]") {
  const Scene scene({{"Cache-Control", "max-age=100"}, {"Last-Modified", kDate}});
  check(scene.get({{"Cache-Control", "no-cache"}}), Course::validate, Forwarded::request);
  check(scene.get({{"Pragma", "no-cache"}}), Course::validate, Forwarded::request);
  check(scene.get({{"Cache-Control", "max-age=1"}}, 3), Course::validate, Forwarded::request);
}

TEST_CASE("http/decide: unsafe and unknown methods are written through", "[RFC9111-4]") {
  const Scene scene({{"Cache-Control", "max-age=100"}});
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "M-SEARCH", "get"}) {
    const Found found{.stored = &scene.facts};
    check(decide(read_request(method, {}), found, kNow, {}), Course::forward, Forwarded::method);
  }
  check(decide(read_request("HEAD", {}), {.stored = &scene.facts}, kNow, {}), Course::serve,
        Forwarded::no);
}

TEST_CASE("http/decide: conditions that are the origin's to judge go there", "[RFC9111-4.3.2]") {
  const Scene scene({{"Cache-Control", "max-age=100"}, {"ETag", "\"a\""}});
  check(scene.get({{"If-Match", "\"a\""}}), Course::forward, Forwarded::request);
  check(scene.get({{"If-Unmodified-Since", kDate}}), Course::forward, Forwarded::request);
  check(scene.get({{"If-None-Match", "\"a\""}}), Course::serve, Forwarded::no);
}

TEST_CASE("http/decide: who shows credentials gets only what is for all users", "[RFC9111-3.5]") {
  const Scene plain({{"Cache-Control", "max-age=100"}});
  check(plain.get({{"Authorization", "x"}}), Course::forward, Forwarded::request);
  const Scene open({{"Cache-Control", "max-age=100, public"}});
  check(open.get({{"Authorization", "x"}}), Course::serve, Forwarded::no);
}

TEST_CASE("http/decide: stale while it is validated", "[RFC5861-3]") {
  const Scene scene({{"Cache-Control", "max-age=1, stale-while-revalidate=4"}, {"ETag", "\"a\""}});
  check(scene.get({}, 0), Course::serve, Forwarded::no);
  check(scene.get({}, 3), Course::serve_and_refresh, Forwarded::no);
  check(scene.get({}, 6), Course::validate, Forwarded::stale);
  check(scene.get({{"Cache-Control", "only-if-cached"}}, 3), Course::serve, Forwarded::no);
  Scene offline = scene;
  offline.rules.is_offline = true;
  check(offline.get({}, 3), Course::serve, Forwarded::no);
}

TEST_CASE("http/decide: the office may validate always, or be offline") {
  Scene scene({{"Cache-Control", "max-age=100"}, {"ETag", "\"a\""}});
  scene.rules.always_validates = true;
  check(scene.get(), Course::validate, Forwarded::bypass);
  check(scene.get({{"Cache-Control", "only-if-cached"}}), Course::serve, Forwarded::no);
  scene.rules = {.is_offline = true};
  check(scene.get({}, 100000), Course::serve, Forwarded::no);
  check(scene.get({{"Cache-Control", "no-cache"}}), Course::serve, Forwarded::no);
  check(decide(read_request("POST", {}), {}, kNow, scene.rules), Course::gateway_timeout,
        Forwarded::method);
  Scene strict({{"Cache-Control", "max-age=100, must-revalidate"}, {"ETag", "\"a\""}});
  strict.rules.is_offline = true;
  check(strict.get({}, 99), Course::serve, Forwarded::no);
  check(strict.get({}, 100), Course::gateway_timeout, Forwarded::stale);
  strict.facts.is_invalidated = true;
  check(strict.get(), Course::gateway_timeout, Forwarded::stale);
}

TEST_CASE("http/decide: stale instead of an error where nobody forbids it",
          "[RFC9111-4.2.4][RFC5861-4]") {
  const Scene plain({{"Cache-Control", "max-age=2"}});
  CHECK(plain.survives(0, 60));
  CHECK_FALSE(plain.survives(0, 90000));
  CHECK_FALSE(plain.survives(503, 60));
  CHECK(plain.survives(503, 60, {{"Cache-Control", "stale-if-error=60"}}));
  CHECK(plain.survives(503, 1));
  const Scene lasting({{"Cache-Control", "max-age=2, stale-if-error=60"}});
  for (const unsigned status : {500u, 502u, 503u, 504u}) {
    CHECK(lasting.survives(status, 62));
    CHECK_FALSE(lasting.survives(status, 63));
  }
  for (const unsigned status : {200u, 404u, 501u, 505u})
    CHECK_FALSE(lasting.survives(status, 10));
  CHECK_FALSE(lasting.survives(503, 10, {{"Cache-Control", "no-cache"}}));
  for (const char* control :
       {"max-age=2, must-revalidate, stale-if-error=60", "max-age=2, proxy-revalidate",
        "max-age=2, no-cache", "max-age=2, s-maxage=2, stale-if-error=60"}) {
    CAPTURE(control);
    const Scene strict({{"Cache-Control", control}});
    CHECK_FALSE(strict.survives(0, 10));
    CHECK_FALSE(strict.survives(503, 10));
  }
  Scene office({{"Cache-Control", "max-age=2"}});
  office.rules = {.stale_if_unreachable_s = 0, .stale_if_error_s = 100};
  CHECK(office.survives(503, 60));
  CHECK_FALSE(office.survives(503, 103));
}

TEST_CASE("http/decide: a client's condition is judged before its range", "[RFC9110-13.2.2]") {
  const std::string later = date_text(kNow + 60);
  const Scene scene({{"ETag", "\"a\""}, {"Date", kDate}});
  const auto answer = [&](std::initializer_list<Field> request) {
    return plan_answer("GET", fields_of(request), scene.facts, scene.stored, 10);
  };
  CHECK(answer({}).status == 200);
  CHECK(answer({{"If-None-Match", "\"a\""}}).status == 304);
  CHECK(answer({{"If-None-Match", "\"a\""}, {"Range", "bytes=0-1"}}).status == 304);
  CHECK(answer({{"If-None-Match", "\"b\""}, {"Range", "bytes=0-1"}}).status == 206);
  CHECK(answer({{"If-Modified-Since", later}}).status == 304);
  CHECK(answer({{"Range", "bytes=0-1,5-"}}).ranges == std::vector<Octets>{{0, 1}, {5, 9}});
  CHECK(answer({{"Range", "bytes=10-"}}).status == 416);
  CHECK(answer({{"Range", "bytes=0-1"}, {"If-Range", "\"b\""}}).status == 200);
}

TEST_CASE("http/decide: conditions and ranges are for 200 and 206 only", "[RFC9110-13.2.1]") {
  const Scene scene({{"ETag", "\"a\""}}, 404);
  const Fields request = fields_of({{"If-None-Match", "\"a\""}, {"Range", "bytes=0-1"}});
  CHECK(plan_answer("GET", request, scene.facts, scene.stored, 10).status == 404);
}

TEST_CASE("http/decide: parts answer what lies in them", "[RFC9111-3.3]") {
  Scene scene({{"Cache-Control", "max-age=9"}, {"Content-Range", "bytes 0-4/10"}}, 206);
  OctetSet held;
  REQUIRE(held.add({0, 4}));
  const auto asked = [&](std::initializer_list<Field> request, std::string_view method = "GET") {
    return decide(read_request(method, fields_of(request)),
                  {.stored = &scene.facts, .held = &held, .length = 10}, kNow, {});
  };
  check(asked({{"Range", "bytes=1-3"}}), Course::serve, Forwarded::no);
  check(asked({{"Range", "bytes=1-3,0-0"}}), Course::serve, Forwarded::no);
  for (const char* range : {"bytes=3-5", "bytes=-1", "bytes=20-", "bytes=0-1,9-9", "lines=1-2"})
    check(asked({{"Range", range}}), Course::forward, Forwarded::partial);
  check(asked({}), Course::forward, Forwarded::partial);
  check(asked({}, "HEAD"), Course::forward, Forwarded::partial);
  check(asked({{"Range", "bytes=1-3"}, {"If-Range", "\"b\""}}), Course::forward,
        Forwarded::partial);
  // Another part can be put beside it when it is certain that it is of the same object.
  scene.facts.has_strong_validator = true;
  check(asked({}), Course::fetch_missing, Forwarded::partial);
  check(asked({{"Range", "bytes=3-7"}}), Course::fetch_missing, Forwarded::partial);
  check(asked({{"Range", "bytes=20-"}}), Course::forward, Forwarded::partial);
  check(asked({{"Range", "bytes=3-7"}, {"If-Range", "\"b\""}}), Course::forward,
        Forwarded::partial);
}

TEST_CASE("http/decide: only what is missing is fetched", "[RFC9111-3.4]") {
  OctetSet held;
  REQUIRE(held.add({3, 4}));
  REQUIRE(held.add({7, 7}));
  const StoredFacts facts;
  const Found found{.stored = &facts, .held = &held, .length = 10};
  const auto missing = [&](std::initializer_list<Field> request) {
    return missing_octets(read_request("GET", fields_of(request)), found);
  };
  CHECK(missing({}) == std::vector<Octets>{{0, 2}, {5, 6}, {8, 9}});
  CHECK(missing({{"Range", "bytes=4-5"}}) == std::vector<Octets>{{5, 5}});
  CHECK(missing({{"Range", "bytes=0-0,9-"}}) == std::vector<Octets>{{0, 0}, {9, 9}});
  CHECK(missing({{"Range", "bytes=10-"}}).empty());
  CHECK(missing_octets(read_request("GET", {}), {.stored = &facts, .held = &held}).empty());
  OctetSet scattered;
  for (int64_t at = 0; at < 40; ++at)
    REQUIRE(scattered.add({at * 2, at * 2}));
  CHECK(
      missing_octets(read_request("GET", {}), {.stored = &facts, .held = &scattered, .length = 80})
          .empty());
}

}  // namespace postern::http
