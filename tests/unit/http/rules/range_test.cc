// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/range.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "unit/http/rules/fields_of.h"

namespace postern::http {
namespace {

using Kind = RangePlan::Kind;
using Ranges = std::vector<Octets>;

const std::string kDate = date_text(kNow);
const std::string kHourAgo = date_text(kNow - 3600);

}  // namespace

TEST_CASE("http/range: one range, from either end", "[RFC9110-14.1.2]") {
  struct Case {
    const char* range;
    Octets octets;
  };
  for (const Case& row :
       {Case{"bytes=0-1", {0, 1}}, Case{"bytes=0-499", {0, 9}}, Case{"bytes=1-", {1, 9}},
        Case{"bytes=9-9", {9, 9}}, Case{"bytes=-1", {9, 9}}, Case{"bytes=-20", {0, 9}},
        Case{"BYTES=0-0", {0, 0}}, Case{"bytes= 3-4 ", {3, 4}},
        Case{"bytes=2-99999999999999999999999", {2, 9}},
        Case{"bytes=-99999999999999999999999", {0, 9}}}) {
    CAPTURE(row.range);
    const RangePlan plan = plan_ranges(row.range, 10);
    CHECK(plan.kind == Kind::some);
    CHECK(plan.ranges == Ranges{row.octets});
  }
}

TEST_CASE("http/range: what is not understood is passed over", "[RFC9110-14.2]") {
  for (const char* range :
       {"", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=1", "bytes=2-1",
        "bytes=0-1,5-4", "bytes=0-1,x", "bytes=--1", "bytes=1--2", "bytes=+1-2", "bytes=1-2-3",
        "bytes 0-1", "lines=0-1", "bytes=0x0-0x1", "bytes =0-1", "bytes=0 -1"}) {
    CAPTURE(range);
    CHECK(plan_ranges(range, 10).kind == Kind::whole);
    CHECK(plan_ranges(range, 10).ranges.empty());
  }
  CHECK(plan_ranges("bytes=0-1", -1).kind == Kind::whole);
}

TEST_CASE("http/range: nothing of it there is an answer of its own", "[RFC9110-15.5.17]") {
  for (const char* range :
       {"bytes=10-", "bytes=10-20,30-40", "bytes=-0", "bytes=99999999999999999999999-"})
    CHECK(plan_ranges(range, 10).kind == Kind::unsatisfiable);
  CHECK(plan_ranges("bytes=0-", 0).kind == Kind::unsatisfiable);
  // All of nothing is nothing, and no part.
  CHECK(plan_ranges("bytes=-5", 0).kind == Kind::whole);
  CHECK(plan_ranges("bytes=20-30,0-1", 10).ranges == Ranges{{0, 1}});
}

TEST_CASE("http/range: several ranges keep their order but where they overlap",
          "[RFC9110-15.3.7.2]") {
  CHECK(plan_ranges("bytes=7-8, ,0-1, 4-4", 10).ranges == Ranges{{7, 8}, {0, 1}, {4, 4}});
  CHECK(plan_ranges("bytes=7-8,0-3,2-5", 10).ranges == Ranges{{0, 5}, {7, 8}});
  CHECK(plan_ranges("bytes=5-9,0-4", 10).ranges == Ranges{{0, 9}});
  CHECK(plan_ranges("bytes=0-,0-,0-,0-", 10).ranges == Ranges{{0, 9}});
}

TEST_CASE("http/range: a request of very many ranges gets the whole", "[RFC9110-14.2]") {
  std::string range = "bytes=0-0";
  for (size_t number = 1; number < kRangesMax; ++number)
    range += "," + std::to_string(number * 10) + "-" + std::to_string(number * 10);
  CHECK(plan_ranges(range, 1000).ranges.size() == kRangesMax);
  CHECK(plan_ranges(range + ",900-900", 1000).kind == Kind::whole);
  CHECK(plan_ranges(range + ",5000-", 1000).kind == Kind::whole);
}

TEST_CASE("http/range: a Range counts in GET, once, and by If-Range",
          "[RFC9110-14.2][RFC9110-13.1.5]") {
  const Validators strong = validators_of(
      fields_of({{"ETag", "\"a\""}, {"Date", kDate}, {"Last-Modified", kHourAgo}}), kNow);
  const Validators weak = validators_of(
      fields_of({{"ETag", "W/\"a\""}, {"Date", kHourAgo}, {"Last-Modified", kHourAgo}}), kNow);
  const auto kind = [](std::string_view if_range, const Validators& stored) {
    return plan_ranges("GET", fields_of({{"Range", "bytes=0-1"}, {"If-Range", if_range}}), stored,
                       10)
        .kind;
  };
  CHECK(kind("\"a\"", strong) == Kind::some);
  CHECK(kind("\"b\"", strong) == Kind::whole);
  CHECK(kind("W/\"a\"", strong) == Kind::whole);
  CHECK(kind("\"a\"", weak) == Kind::whole);
  CHECK(kind("W/\"a\"", weak) == Kind::whole);
  CHECK(kind(kHourAgo, strong) == Kind::some);
  CHECK(kind(kDate, strong) == Kind::whole);
  CHECK(kind(kHourAgo, weak) == Kind::whole);
  CHECK(kind(kHourAgo, {}) == Kind::whole);
  CHECK(kind("nonsense", strong) == Kind::whole);
  const Fields plain = fields_of({{"Range", "bytes=0-1"}});
  CHECK(plan_ranges("GET", plain, {}, 10).kind == Kind::some);
  CHECK(plan_ranges("HEAD", plain, {}, 10).kind == Kind::whole);
  const Fields twice = fields_of({{"Range", "bytes=0-1"}, {"Range", "bytes=2-3"}});
  CHECK(plan_ranges("GET", twice, {}, 10).kind == Kind::whole);
}

TEST_CASE("http/range: Content-Range is read when it makes sense", "[RFC9110-14.4]") {
  const auto known = parse_content_range("bytes 0-4/10");
  REQUIRE(known);
  CHECK(known->octets == Octets{0, 4});
  CHECK(known->total == 10);
  const auto unknown = parse_content_range("Bytes 7-7/*");
  REQUIRE(unknown);
  CHECK_FALSE(unknown->total);
  for (const char* text :
       {"", "bytes", "bytes */10", "bytes 4-0/10", "bytes 0-10/10", "bytes 0-4/", "bytes 0-4",
        "bytes -4/10", "bytes 0-/10", "bytes=0-4/10", "bytes  0-4/10", "bytes 0-4/10 ",
        "lines 0-4/10", "bytes 0-9999999999999999999/*", "bytes 0-4/99999999999999999999",
        "bytes 0/4-10", "bytes a-b/c", "ananananananana"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_content_range(text));
  }
}

TEST_CASE("http/range: what is written is read the same again", "[RFC9110-14.4]") {
  CHECK(encode_content_range({0, 4}, 10) == "bytes 0-4/10");
  CHECK(encode_unsatisfied_range(10) == "bytes */10");
  const Ranges ranges = {{0, 4}, {7, 9}};
  CHECK(encode_range(ranges) == "bytes=0-4,7-9");
  CHECK(plan_ranges(encode_range(ranges), 100).ranges == ranges);
}

TEST_CASE("http/range: the parts of a multipart answer and its length", "[RFC9110-14.6]") {
  const Multipart multipart("SEPARATOR", "text/plain", 10);
  const Ranges ranges = {{0, 1}, {7, 9}};
  std::string body = multipart.head(ranges[0], true) + "01";
  body += multipart.head(ranges[1], false) + "789" + multipart.tail();
  CHECK(body ==
        "--SEPARATOR\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01"
        "\r\n--SEPARATOR\r\nContent-Type: text/plain\r\nContent-Range: bytes 7-9/10\r\n\r\n789"
        "\r\n--SEPARATOR--\r\n");
  CHECK(multipart.length(ranges) == static_cast<int64_t>(body.size()));
  CHECK(multipart.content_type() == "multipart/byteranges; boundary=SEPARATOR");
  CHECK(Multipart("S", "", 10).head({0, 1}, true) == "--S\r\nContent-Range: bytes 0-1/10\r\n\r\n");
}

}  // namespace postern::http
