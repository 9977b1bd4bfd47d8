// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/date.h"

#include <catch2/catch.hpp>
#include <ctime>
#include <string>

namespace postern::http {
namespace {

constexpr int64_t kNow = 1'800'000'000;  // 2027-01-15 08:00:00
constexpr int64_t kExample = 784'111'777;

std::string written(int64_t time_s) {
  std::string out;
  append_date(out, time_s);
  return out;
}

TEST_CASE("http/message/date: the three forms of the RFC say the same", "[RFC9110-5.6.7]") {
  CHECK(parse_date("Sun, 06 Nov 1994 08:49:37 GMT", kNow) == kExample);
  CHECK(parse_date("Sunday, 06-Nov-94 08:49:37 GMT", kNow) == kExample);
  CHECK(parse_date("Sun Nov  6 08:49:37 1994", kNow) == kExample);
  CHECK(parse_date("sun, 06 nOV 1994 08:49:37 gmt", kNow) == kExample);
  CHECK(parse_date("Sun Nov 16 08:49:37 1994", kNow) == kExample + 10 * 86400);
}

TEST_CASE("http/message/date: what is not a date is none", "[RFC9110-5.6.7]") {
  for (const std::string_view text : {"",
                                      "0",
                                      "-1",
                                      "Sun",
                                      "Sun,",
                                      "Sun, ",
                                      "784111777",
                                      "06 Nov 1994 08:49:37 GMT",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 94 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 06 Nov 1994 08:49:37 CET",
                                      "Sun, 06 Nov 1994 08:49:37 +0000",
                                      "Sun, 06 Nov 1994 08:49:37 GMT ",
                                      " Sun, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37 GMTx",
                                      "Sun,  06 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 8:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49 GMT",
                                      "Sun, 06 Nov 1994 24:00:00 GMT",
                                      "Sun, 06 Nov 1994 08:60:00 GMT",
                                      "Sun, 06 Nov 1994 08:49:61 GMT",
                                      "Sun, 00 Nov 1994 08:49:37 GMT",
                                      "Sun, 31 Nov 1994 08:49:37 GMT",
                                      "Sun, 29 Feb 1995 08:49:37 GMT",
                                      "Sun, 29 Feb 1900 08:49:37 GMT",
                                      "Sun, 06 Nox 1994 08:49:37 GMT",
                                      "Sun, 06-Nov-1994 08:49:37 GMT",
                                      "Sunday, 06-Nov-1994 08:49:37 GMT",
                                      "Sunday, 06 Nov 1994 08:49:37 GMT",
                                      "Sunday, 06-Nov-94 08:49:37",
                                      "Sun Nov 6 08:49:37 1994",
                                      "Sun Nov 06 08:49:37 1994 GMT",
                                      "Sunday Nov  6 08:49:37 1994",
                                      "Xyz, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, +6 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 19 4 08:49:37 GMT",
                                      "Sun, 06 Nov -994 08:49:37 GMT"}) {
    INFO(text);
    CHECK_FALSE(parse_date(text, kNow));
  }
}

TEST_CASE("http/message/date: a leap day and a leap second are dates") {
  CHECK(parse_date("Tue, 29 Feb 2000 00:00:00 GMT", kNow) == 951'782'400);
  CHECK(parse_date("Sat, 31 Dec 2016 23:59:60 GMT", kNow) == 1'483'228'800);
}

// RFC 9110 section 5.6.7: more than 50 years ahead is behind.
TEST_CASE("http/message/date: a year of two digits is at most 50 years ahead", "[RFC9110-5.6.7]") {
  CHECK(parse_date("Friday, 15-Jan-77 08:00:00 GMT", kNow) ==
        parse_date("Fri, 15 Jan 2077 08:00:00 GMT", kNow));
  CHECK(parse_date("Friday, 15-Jan-77 08:00:01 GMT", kNow) ==
        parse_date("Sat, 15 Jan 1977 08:00:01 GMT", kNow));
  CHECK(parse_date("Friday, 01-Jan-78 00:00:00 GMT", kNow) ==
        parse_date("Sun, 01 Jan 1978 00:00:00 GMT", kNow));
  CHECK(parse_date("Friday, 01-Jan-27 00:00:00 GMT", kNow) ==
        parse_date("Fri, 01 Jan 2027 00:00:00 GMT", kNow));
  CHECK(parse_date("Monday, 29-Feb-00 00:00:00 GMT", kNow) == 951'782'400);
}

TEST_CASE("http/message/date: what is written is what the calendar says", "[RFC9110-5.6.7]") {
  CHECK(written(kExample) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(written(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(written(-1) == "Wed, 31 Dec 1969 23:59:59 GMT");
  // Through all of the years 0 to 9999 in steps of 11 days and some.
  for (int64_t time_s = -62'167'219'200; time_s < 253'402'300'800; time_s += 987'654) {
    const std::time_t time = time_s;
    std::tm parts = {};
    gmtime_r(&time, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b ", &parts);
    char rest[64];
    std::snprintf(rest, sizeof rest, "%04d %02d:%02d:%02d GMT", parts.tm_year + 1900, parts.tm_hour,
                  parts.tm_min, parts.tm_sec);
    if (written(time_s) != std::string(text) + rest) {
      CHECK(written(time_s) == std::string(text) + rest);
    }
    if (parse_date(written(time_s), kNow) != time_s) {
      CHECK(parse_date(written(time_s), kNow) == time_s);
    }
  }
}

}  // namespace
}  // namespace postern::http
