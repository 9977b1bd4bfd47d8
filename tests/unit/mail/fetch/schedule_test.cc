// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/fetch/schedule.h"

#include <catch2/catch.hpp>

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::mail;  // NOLINT(google-build-using-namespace)

namespace {

Instant at(int64_t s) {
  return {s * 1'000'000'000};
}
bool never(uint32_t /*time*/) {
  return false;
}
bool holds(uint32_t time) {
  return time == 7;
}

}  // namespace

TEST_CASE("mail/fetch/schedule: due at once, then after each pause", "[F52]") {
  Schedule schedule;
  CHECK_FALSE(schedule.is_due(at(1000), holds));
  schedule.follow(seconds(300), {}, at(1000));
  CHECK(schedule.is_due(at(1000), never));
  schedule.begun();
  CHECK_FALSE(schedule.is_due(at(1100), never));
  schedule.ended(true, at(1100));
  CHECK_FALSE(schedule.is_due(at(1399), never));
  CHECK(schedule.is_due(at(1400), never));
}

TEST_CASE("mail/fetch/schedule: nothing is due outside its times", "[F52]") {
  Schedule schedule;
  schedule.follow(seconds(300), {6, 7}, at(1000));
  CHECK_FALSE(schedule.is_due(at(99'000), never));
  CHECK(schedule.is_due(at(1000), holds));
  schedule.wake();
  CHECK_FALSE(schedule.is_due(at(1000), never));
  schedule.demand();
  CHECK(schedule.is_due(at(1000), never));
  schedule.begun();
  schedule.ended(true, at(1001));
  CHECK_FALSE(schedule.is_due(at(1400), never));
  CHECK(schedule.is_due(at(1400), holds));
}

TEST_CASE("mail/fetch/schedule: what fails is tried less and less often", "[F52]") {
  Schedule schedule;
  schedule.follow(seconds(300), {}, at(0));
  int64_t now = 0;
  for (const int64_t pause : {300, 600, 1200, 2400, 3600, 3600}) {
    schedule.begun();
    schedule.ended(false, at(now));
    CHECK_FALSE(schedule.is_due(at(now + pause - 1), never));
    CHECK(schedule.is_due(at(now + pause), never));
    now += pause;
  }
  schedule.wake();
  CHECK(schedule.is_due(at(now), never));
  schedule.begun();
  schedule.ended(true, at(now));
  CHECK_FALSE(schedule.is_due(at(now + 299), never));
  CHECK(schedule.is_due(at(now + 300), never));
  // A long pause is not made shorter by failures.
  schedule.follow(seconds(7200), {}, at(0));
  schedule.begun();
  schedule.ended(false, at(0));
  CHECK_FALSE(schedule.is_due(at(7199), never));
  CHECK(schedule.is_due(at(7200), never));
}

TEST_CASE("mail/fetch/schedule: without a pause once, and when it is woken", "[F52]") {
  Schedule schedule;
  schedule.follow({}, {}, at(0));
  CHECK(schedule.is_due(at(0), never));
  schedule.begun();
  schedule.ended(true, at(1));
  CHECK_FALSE(schedule.is_due(at(1'000'000), never));
  schedule.wake();
  CHECK(schedule.is_due(at(1'000'000), never));
  // Woken while it runs: once more.
  schedule.begun();
  schedule.wake();
  CHECK_FALSE(schedule.is_due(at(1'000'001), never));
  schedule.ended(true, at(1'000'002));
  CHECK(schedule.is_due(at(1'000'002), never));
  schedule.begun();
  schedule.ended(false, at(1'000'003));
  CHECK(schedule.is_due(at(1'000'303), never));
}

TEST_CASE("mail/fetch/schedule: what changes while it runs is done once that has ended", "[F52]") {
  Schedule schedule;
  schedule.follow({}, {}, at(0));
  schedule.begun();
  schedule.follow({}, {}, at(1));
  CHECK_FALSE(schedule.is_due(at(1), never));
  schedule.ended(true, at(2));
  CHECK(schedule.is_due(at(2), never));
  schedule.begun();
  schedule.ended(true, at(3));
  CHECK_FALSE(schedule.is_due(at(1'000'000), never));
}
