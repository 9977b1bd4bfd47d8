// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/cache_control.h"

#include <catch2/catch.hpp>

#include "unit/http/rules/fields_of.h"

namespace postern::http {
namespace {

ResponseControl response(std::string_view value) {
  return read_response_control(fields_of({{"Cache-Control", value}}));
}

RequestControl request(std::string_view value) {
  return read_request_control(fields_of({{"Cache-Control", value}}));
}

}  // namespace

TEST_CASE("http/cache_control: a number of seconds is digits, and saturates", "[RFC9111-1.2.2]") {
  CHECK(parse_delta("0") == 0);
  CHECK(parse_delta("003600") == 3600);
  CHECK(parse_delta("2147483647") == 2147483647);
  CHECK(parse_delta("2147483648") == kDeltaMax);
  CHECK(parse_delta("2147483649") == kDeltaMax);
  CHECK(parse_delta("99999999999999999999999999") == kDeltaMax);
  for (const char* text : {"", "-1", "+1", "1.0", "1 ", " 1", "1a", "a1", "0x10", "'1'"})
    CHECK_FALSE(parse_delta(text));
}

TEST_CASE("http/cache_control: directives of responses are read without regard to case",
          "[RFC9111-5.2]") {
  const ResponseControl all = response(
      "PUBLIC, No-Store,must-revalidate ,, proxy-revalidate, Must-Understand, no-transform, "
      "MaX-aGe=1, s-maxage=2, stale-if-error=3, stale-while-revalidate=4, no-cache, private");
  CHECK(all.is_public);
  CHECK(all.no_store);
  CHECK(all.must_revalidate);
  CHECK(all.proxy_revalidate);
  CHECK(all.must_understand);
  CHECK(all.no_transform);
  CHECK(all.no_cache);
  CHECK(all.is_private);
  CHECK(all.max_age == 1);
  CHECK(all.s_maxage == 2);
  CHECK(all.stale_if_error == 3);
  CHECK(all.stale_while_revalidate == 4);
}

TEST_CASE("http/cache_control: a lifetime that is no number is none at all", "[RFC9111-4.2.1]") {
  for (const char* text :
       {"max-age", "max-age=", "max-age=-3600", "max-age='3600'", "max-age=3600.0", "max-age=a1",
        "max-age=1a", "max-age =3600", "max-age= 3600", "max-age=\"36\\00\"", "max-age=\"3600"}) {
    CAPTURE(text);
    CHECK(response(text).max_age == 0);
  }
  CHECK(response("max-age=\"3600\"").max_age == 3600);
  CHECK(response("s-maxage=x, max-age=5").s_maxage == 0);
}

TEST_CASE("http/cache_control: of a directive that comes twice the shorter counts",
          "[RFC9111-4.2.1]") {
  CHECK(response("max-age=1800, max-age=1").max_age == 1);
  CHECK(response("max-age=1, max-age=1800").max_age == 1);
  const Fields lines = fields_of({{"Cache-Control", "max-age=9"}, {"cache-control", "max-age=8"}});
  CHECK(read_response_control(lines).max_age == 8);
  CHECK(request("max-stale=9, max-stale=3").max_stale == 3);
  CHECK(request("max-stale=9, max-stale").max_stale == 9);
  CHECK(request("min-fresh=3, min-fresh=9").min_fresh == 9);
}

TEST_CASE("http/cache_control: unknown directives, and what they quote, are passed over",
          "[RFC9111-5.2.3]") {
  CHECK(response("foobar, max-age=3600").max_age == 3600);
  CHECK(response("extension=\"max-age=3600\", max-age=1").max_age == 1);
  CHECK(response("max-age=1, extension=\"no-store, max-age=3600\"").max_age == 1);
  CHECK_FALSE(response("max-age=1, extension=\"no-store\"").no_store);
  CHECK_FALSE(response("extension=\"a\\\", no-store, \"").no_store);
  CHECK_FALSE(response("no-stores, xno-store, community=\"UCI\"").no_store);
}

TEST_CASE("http/cache_control: a quote without an end may hide no-store", "[RFC9111-5.2.3]") {
  CHECK(response("extension=\"a, no-store").no_store);
  CHECK(response("max-age=\"3600").no_store);
  CHECK_FALSE(response("extension=\"a\", public").no_store);
}

TEST_CASE("http/cache_control: no-cache and private with fields withhold these fields",
          "[RFC9111-5.2.2.4][RFC9111-5.2.2.7]") {
  const Fields some = fields_of(
      {{"Cache-Control", "no-cache=\"Set-Cookie, b\", private=\"c\", max-age=9"}, {"b", "1"}});
  const ResponseControl control = read_response_control(some);
  CHECK_FALSE(control.no_cache);
  CHECK_FALSE(control.is_private);
  CHECK(control.no_cache_fields);
  CHECK(control.private_fields);
  CHECK(is_withheld(some, "set-cookie"));
  CHECK(is_withheld(some, "B"));
  CHECK(is_withheld(some, "c"));
  CHECK_FALSE(is_withheld(some, "d"));
  CHECK_FALSE(is_withheld(some, "max-age"));
  CHECK(response("no-cache=b").no_cache_fields);
  // An empty list, and one without an end, count as none.
  CHECK(response("no-cache=\"\"").no_cache);
  CHECK(response("no-cache=").no_cache);
  CHECK(response("private=\" , \"").is_private);
  CHECK(response("private=\"a").is_private);
  // So does one of what the rules need later.
  CHECK(response("no-cache=\"a, cache-control\"").no_cache);
  CHECK(response("private=\"Vary\"").is_private);
  const Fields needed = fields_of({{"Cache-Control", "private=\"a\", no-cache=\"b, Expires\""}});
  CHECK(is_withheld(needed, "a"));
  CHECK_FALSE(is_withheld(needed, "b"));
  CHECK_FALSE(is_withheld(needed, "Expires"));
}

TEST_CASE("http/cache_control: directives of requests are read", "[RFC9111-5.2.1]") {
  const RequestControl all = request(
      "no-cache, no-store, no-transform, only-if-cached, max-age=1, min-fresh=2, max-stale=3, "
      "stale-if-error=4");
  CHECK(all.no_cache);
  CHECK(all.no_store);
  CHECK(all.no_transform);
  CHECK(all.only_if_cached);
  CHECK(all.max_age == 1);
  CHECK(all.min_fresh == 2);
  CHECK(all.max_stale == 3);
  CHECK(all.stale_if_error == 4);
  CHECK(request("max-stale").max_stale == kDeltaMax);
  CHECK(request("max-stale=x").max_stale == 0);
  CHECK(request("max-age=x").max_age == 0);
  CHECK_FALSE(request("min-fresh=x").min_fresh);
  CHECK_FALSE(request("nothing-to-see-here").no_cache);
}

TEST_CASE("http/cache_control: Pragma counts where there is no Cache-Control", "[RFC9111-5.4]") {
  CHECK(read_request_control(fields_of({{"Pragma", "foo, No-Cache"}})).no_cache);
  CHECK_FALSE(read_request_control(fields_of({{"Pragma", "foo"}})).no_cache);
  const Fields both = fields_of({{"Pragma", "no-cache"}, {"Cache-Control", "max-age=3"}});
  CHECK_FALSE(read_request_control(both).no_cache);
  // It never meant anything in responses.
  CHECK_FALSE(read_response_control(fields_of({{"Pragma", "no-cache"}})).no_cache);
}

}  // namespace postern::http
