// SPDX-License-Identifier: BSD-3-Clause
#include "control/compile/schedule.h"

#include <cstdlib>

#include "unit/compile/compiled.h"

namespace postern {
namespace {

// Local time of Berlin for the life of one test; clocks go forward on 29 March and back on 25
// October 2026.
class Berlin {
 public:
  Berlin() { set("CET-1CEST,M3.5.0,M10.5.0/3"); }
  ~Berlin() { set(nullptr); }

 private:
  static void set(const char* zone) {
    zone == nullptr ? unsetenv("TZ") : setenv("TZ", zone, 1);
    tzset();
  }
};

std::time_t at(int month, int day, int hour, int minute, int second = 0) {
  std::tm parts = {};
  parts.tm_year = 2026 - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_sec = second;
  parts.tm_isdst = -1;
  return std::mktime(&parts);
}

config::Model with_times(const std::string& times) {
  return model_of(
      "version: 1\n"
      "interfaces: { lan: { port: \"kernel:e1\", zone: internal, address: 192.168.1.1/24 } }\n"
      "filter: { rules: [ { name: a, when: [" +
      times + "], action: permit } ] }\n");
}

}  // namespace

TEST_CASE("compile/schedule: the week begins on Monday at midnight", "[F34]") {
  Berlin berlin;
  CHECK(minute_of_week(at(3, 2, 0, 0)) == 0);  // a Monday
  CHECK(minute_of_week(at(3, 2, 8, 30, 59)) == 8 * 60 + 30);
  CHECK(minute_of_week(at(3, 1, 23, 59)) == kMinutesPerWeek - 1);
}

TEST_CASE("compile/schedule: the next change is the next begin or end of any rule", "[F34]") {
  Berlin berlin;
  auto model = with_times("\"mon-fri 08:00-18:00\"");
  CHECK(next_change(model, at(3, 2, 7, 0, 17)) == at(3, 2, 8, 0));
  CHECK(next_change(model, at(3, 2, 7, 59, 59)) == at(3, 2, 8, 0));
  CHECK(next_change(model, at(3, 2, 8, 0)) == at(3, 2, 18, 0));
  CHECK(next_change(model, at(3, 6, 18, 0)) == at(3, 9, 8, 0));  // over the weekend
}

TEST_CASE("compile/schedule: one boundary a week comes round again", "[F34]") {
  Berlin berlin;
  auto model = with_times("\"mon 00:00-12:00\", \"mon 12:00-24:00\"");
  CHECK(next_change(model, at(3, 2, 0, 0)) == at(3, 3, 0, 0));
  CHECK(next_change(model, at(3, 3, 0, 0)) == at(3, 9, 0, 0));
}

TEST_CASE("compile/schedule: without times nothing changes", "[F34]") {
  auto model = with_times("always");
  CHECK_FALSE(next_change(model, at(3, 2, 7, 0)));
  model.filter.rules[0].when = {"mon 08:00-18:00"};
  CHECK(next_change(model, at(3, 2, 7, 0)));
  model.filter.rules[0].enabled = false;
  CHECK_FALSE(next_change(model, at(3, 2, 7, 0)));
}

TEST_CASE("compile/schedule: a change of the clock is a change of its own", "[F34]") {
  Berlin berlin;
  auto model = with_times("\"sun 08:00-18:00\"");
  // Forward: at 02:00 it is 03:00, and 08:00 is an hour nearer than the dial says.
  std::time_t before = at(3, 28, 20, 0);
  std::time_t jump = at(3, 29, 1, 59) + 60;
  REQUIRE(next_change(model, before) == jump);
  CHECK(minute_of_week(jump) == 6 * 1440 + 3 * 60);
  CHECK(next_change(model, jump) == at(3, 29, 8, 0));
  // Back: at 03:00 it is 02:00 again.
  before = at(10, 24, 20, 0);
  jump = at(10, 25, 1, 59) + 60 + 3600;
  REQUIRE(next_change(model, before) == jump);
  CHECK(minute_of_week(jump) == 6 * 1440 + 2 * 60);
  CHECK(next_change(model, jump) == at(10, 25, 8, 0));
}

TEST_CASE("compile/schedule: a rule's end is never overslept in the hour that comes twice",
          "[F34]") {
  Berlin berlin;
  auto model = with_times("\"sun 01:30-02:30\"");
  // Walk from change to change over the night; compare what holds with every minute's own answer.
  auto holds = [](std::time_t t) {
    uint32_t minute = minute_of_week(t);
    return minute >= 6 * 1440 + 90 && minute < 6 * 1440 + 150;
  };
  std::time_t now = at(10, 25, 0, 0);
  std::time_t end = at(10, 25, 6, 0);
  while (now < end) {
    auto next = next_change(model, now);
    REQUIRE(next);
    REQUIRE(*next > now);
    for (std::time_t t = now; t < std::min(*next, end); t += 60)
      REQUIRE(holds(t) == holds(now));
    now = *next;
  }
}

}  // namespace postern
