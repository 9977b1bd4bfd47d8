// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/cache_status.h"

#include <catch2/catch.hpp>

namespace postern::http {

TEST_CASE("http/cache_status: a hit tells how long it stays fresh", "[RFC9211-2]") {
  CHECK(encode_cache_status("postern", {}) == "postern; hit");
  CHECK(encode_cache_status("postern", {.ttl_s = 30}) == "postern; hit; ttl=30");
  CHECK(encode_cache_status("gw-1.example", {.ttl_s = -3}) == "gw-1.example; hit; ttl=-3");
  // What only a forwarded request has is not told of a hit.
  CHECK(encode_cache_status("postern", {.forwarded_status = 200, .is_stored = true}) ==
        "postern; hit");
}

TEST_CASE("http/cache_status: a forwarded request tells why and what came", "[RFC9211-2.2]") {
  CHECK(encode_cache_status("postern", {.forwarded = Forwarded::uri_miss}) ==
        "postern; fwd=uri-miss");
  CHECK(encode_cache_status("postern", {.forwarded = Forwarded::stale,
                                        .forwarded_status = 304,
                                        .ttl_s = 60,
                                        .is_stored = true,
                                        .is_collapsed = true}) ==
        "postern; fwd=stale; fwd-status=304; stored; collapsed; ttl=60");
  CHECK(to_text(Forwarded::bypass) == "bypass");
  CHECK(to_text(Forwarded::method) == "method");
  CHECK(to_text(Forwarded::vary_miss) == "vary-miss");
  CHECK(to_text(Forwarded::request) == "request");
  CHECK(to_text(Forwarded::partial) == "partial");
}

TEST_CASE("http/cache_status: a name that is no token is quoted", "[RFC9211-2]") {
  CHECK(encode_cache_status("my gateway", {}) == "\"my gateway\"; hit");
  CHECK(encode_cache_status("a\"b\\c\r\n\xc3\xbc", {}) == "\"a\\\"b\\\\c????\"; hit");
  CHECK(encode_cache_status("1st", {}) == "\"1st\"; hit");
  CHECK(encode_cache_status("", {}) == "\"\"; hit");
}

}  // namespace postern::http
