// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/date.h"

#include <catch2/catch.hpp>

namespace postern::mail {
namespace {

TEST_CASE("mail/message/date: dates are written in the zone that is asked for", "[RFC5322-3.3]") {
  CHECK(to_date(0) == "Thu, 01 Jan 1970 00:00:00 +0000");
  CHECK(to_date(1795392300) == "Mon, 23 Nov 2026 00:05:00 +0000");
  CHECK(to_date(1795392300, 60) == "Mon, 23 Nov 2026 01:05:00 +0100");
  CHECK(to_date(1795392300, -210) == "Sun, 22 Nov 2026 20:35:00 -0330");
  CHECK(to_date(1709208000) == "Thu, 29 Feb 2024 12:00:00 +0000");
}

TEST_CASE("mail/message/date: dates are read in new and old forms", "[RFC5322-3.3]") {
  for (const int64_t time :
       {int64_t{0}, int64_t{1795392300}, int64_t{1709208000}, int64_t{-86400}}) {
    for (const int zone : {0, 60, -210, 840})
      CHECK(parse_date(to_date(time, zone)) == time);
  }
  CHECK(parse_date("1 Jan 1970 00:00 +0000") == 0);
  CHECK(parse_date("Thu, 1 jan 70 00:00:00 GMT") == 0);
  CHECK(parse_date("Thu, 1 Jan 1970 01:00:00 +0100 (CET)") == 0);
  CHECK(parse_date("Wed, 31 Dec 1969 19:00:00 EST") == 0);
  CHECK(parse_date("Thu , 1 Jan 1970 0 : 00 : 00 UT") == 0);
}

TEST_CASE("mail/message/date: what is no date is none") {
  for (const auto* text :
       {"", "Thu", "Thu, 1 Jan 1970", "Thu, 1 Jan 1970 00:00:00", "Thu, 32 Jan 1970 00:00:00 +0000",
        "30 Feb 2024 00:00:00 +0000", "1 Foo 1970 00:00:00 +0000", "1 Jan 1970 24:00:00 +0000",
        "1 Jan 1970 00:60:00 +0000", "1 Jan 1970 00:00:00 +0060", "1 Jan 1970 00:00:00 +00",
        "1 Jan 99999999999999999999 00:00:00 +0000", "Thu 1 Jan 1970 00:00:00 +0000", "-1"}) {
    INFO(text);
    CHECK(!parse_date(text));
  }
}

}  // namespace
}  // namespace postern::mail
