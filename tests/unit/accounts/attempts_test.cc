// SPDX-License-Identifier: BSD-3-Clause
#include "control/accounts/attempts.h"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::accounts;

namespace {

const Ipv4Address kAttacker = *parse_ipv4("198.51.100.66");
const Ipv4Address kDesk = *parse_ipv4("192.168.1.20");
const Ipv4Address kListed = *parse_ipv4("192.168.1.5");

struct Bed {
  Attempts attempts;
  std::vector<Blocked> events;
  Instant now{1'000'000'000'000};

  Bed(const Bed&) = delete;
  Bed& operator=(const Bed&) = delete;
  Bed() {
    config::Lockout settings;
    attempts.configure(settings, {{kListed, kListed}});
    attempts.when_blocked([this](const Blocked& blocked) { events.push_back(blocked); });
  }
  // 0: checked, 1: must wait, 2: blocked.
  int try_wrong(std::string_view name, Ipv4Address from) {
    auto answer = attempts.admit({name, from}, now);
    if (answer.is_admitted) attempts.note_wrong({name, from}, now);
    return answer.is_admitted ? 0 : answer.is_blocked ? 2 : 1;
  }
  bool try_right(std::string_view name, Ipv4Address from) {
    auto answer = attempts.admit({name, from}, now);
    if (answer.is_admitted) attempts.note_right({name, from}, now);
    return answer.is_admitted;
  }
};

}  // namespace

TEST_CASE("accounts/attempts: 100 wrong log-ins are slowed, blocked, and told once", "[F61]") {
  Bed bed;
  int counts[3] = {};
  for (int i = 0; i < 100; ++i)
    ++counts[bed.try_wrong("alice", kAttacker)];
  CHECK(counts[0] == 3);
  CHECK(counts[1] == 7);
  CHECK(counts[2] == 90);
  REQUIRE(bed.events.size() == 1);
  CHECK(bed.events[0].what == "alice");
  CHECK(bed.events[0].from == "198.51.100.66");
  CHECK(bed.events[0].wrong == 10);
  CHECK_FALSE(bed.try_right("alice", kDesk));
  CHECK(bed.try_right("alice", kListed));  // the listed host gets in all the same
  CHECK(bed.attempts.blocked(bed.now).empty());
}

TEST_CASE("accounts/attempts: the wait doubles, and who waits is checked", "[F61]") {
  Bed bed;
  for (int i = 0; i < 3; ++i)
    CHECK(bed.try_wrong("bob", kAttacker) == 0);
  for (int64_t wait : {1, 2, 4, 8, 16, 32}) {
    bed.now = bed.now + seconds(wait);
    CHECK(bed.try_wrong("bob", kAttacker) == 0);
  }
  CHECK(bed.events.empty());
  bed.now = bed.now + seconds(64);
  CHECK(bed.try_right("bob", kAttacker));
  CHECK(bed.try_wrong("bob", kAttacker) == 0);  // forgiven
  CHECK(bed.try_wrong("bob", kAttacker) == 0);
}

TEST_CASE("accounts/attempts: a block ends, and old wrong ones are forgotten", "[F61]") {
  Bed bed;
  for (int i = 0; i < 10; ++i)
    bed.try_wrong("alice", kAttacker);
  bed.now = bed.now + seconds(899);
  CHECK(bed.try_wrong("alice", kDesk) == 2);
  bed.now = bed.now + seconds(1);
  CHECK(bed.try_wrong("alice", kDesk) == 0);
  CHECK(bed.try_wrong("alice", kDesk) == 0);
  bed.now = bed.now + seconds(3601);
  for (int i = 0; i < 3; ++i)
    CHECK(bed.try_wrong("alice", kDesk) == 0);
}

TEST_CASE("accounts/attempts: many names from one address block the address", "[F61]") {
  Bed bed;
  int i = 0;
  while (bed.events.empty() && i < 100)
    bed.try_wrong("user" + std::to_string(i++), kAttacker);
  REQUIRE(bed.events.size() == 1);
  CHECK(i == 30);
  CHECK(bed.events[0].is_address);
  CHECK(bed.events[0].what == "198.51.100.66");
  CHECK(bed.try_wrong("carol", kAttacker) == 2);
  CHECK(bed.try_wrong("carol", kDesk) == 0);
}

TEST_CASE("accounts/attempts: a guesser elsewhere does not lock out a person at their place",
          "[F61]") {
  Bed bed;
  REQUIRE(bed.try_right("alice", kDesk));
  for (int i = 0; i < 100; ++i)
    bed.try_wrong("alice", kAttacker);
  CHECK(bed.try_right("alice", kDesk));
}

TEST_CASE("accounts/attempts: one's own account does not clean an address", "[F61]") {
  Bed bed;
  int checked = 0;
  for (int i = 0; i < 200; ++i) {
    checked += bed.try_wrong("victim" + std::to_string(i), kAttacker) == 0 ? 1 : 0;
    bed.try_right("mallory", kAttacker);
  }
  CHECK(checked <= 30);
  CHECK_FALSE(bed.events.empty());
}

TEST_CASE("accounts/attempts: many at once are no way round the wait", "[F61]") {
  Bed bed;
  int admitted = 0;
  for (int i = 0; i < 32; ++i)
    admitted += bed.attempts.admit({"alice", kAttacker}, bed.now).is_admitted ? 1 : 0;
  CHECK(admitted == 3);
}

TEST_CASE("accounts/attempts: tables are bounded; blocked ones are forgotten last", "[F61]") {
  Bed bed;
  for (int i = 0; i < 10; ++i)
    bed.try_wrong("alice", kAttacker);
  for (size_t i = 0; i < Attempts::kEntriesMax + 100; ++i) {
    Ipv4Address from{0x0A000000u + static_cast<uint32_t>(i)};
    bed.try_wrong("n" + std::to_string(i), from);
  }
  CHECK(bed.attempts.counters().forgotten >= 200);
  CHECK(bed.try_wrong("alice", kDesk) == 2);
  CHECK(bed.attempts.forget("alice"));
  CHECK_FALSE(bed.attempts.forget("alice"));
  CHECK(bed.try_wrong("alice", kDesk) == 0);
}

TEST_CASE("accounts/attempts: an address that is refused does not flush the names", "[F61]") {
  Bed bed;
  for (int i = 0; i < 10; ++i)
    bed.try_wrong("alice", kDesk);
  const size_t before = bed.attempts.blocked(bed.now).size();
  for (size_t i = 0; i < Attempts::kEntriesMax + 100; ++i)
    bed.try_wrong("n" + std::to_string(i), kAttacker);
  CHECK(bed.attempts.blocked(bed.now).size() == before + 1);
  CHECK(bed.attempts.counters().forgotten == 0);
  CHECK(bed.try_wrong("alice", kDesk) == 2);
}

TEST_CASE("accounts/attempts: names that got in are forgotten after all strangers", "[F61]") {
  Bed bed;
  for (int i = 0; i < 200; ++i)
    REQUIRE(bed.try_right("user" + std::to_string(i), kDesk));
  for (size_t i = 0; i < Attempts::kEntriesMax + 1000; ++i) {
    Ipv4Address from{0x0A000000u + static_cast<uint32_t>(i)};
    bed.try_wrong("n" + std::to_string(i), from);
  }
  CHECK(bed.attempts.counters().forgotten > 1000);
  for (int i = 0; i < 100; ++i)
    bed.try_wrong("user0", kAttacker);
  CHECK(bed.try_right("user0", kDesk));
}

TEST_CASE("accounts/attempts: wrong ones at one door block nobody at the other", "[F61]") {
  Bed bed;
  Attempts::Who at_portal{"alice", kAttacker, Door::portal};
  for (int i = 0; i < 20; ++i) {
    if (bed.attempts.admit(at_portal, bed.now).is_admitted)
      bed.attempts.note_wrong(at_portal, bed.now);
  }
  REQUIRE(bed.events.size() == 1);
  CHECK(bed.events[0].door == Door::portal);
  at_portal.from = kDesk;
  CHECK(bed.attempts.admit(at_portal, bed.now).is_blocked);
  CHECK(bed.try_wrong("alice", kDesk) == 0);
  CHECK(bed.attempts.forget("alice"));
  CHECK(bed.attempts.admit(at_portal, bed.now).is_admitted);
}

TEST_CASE("accounts/attempts: keys that nobody has count for their address alone", "[F61]") {
  Bed bed;
  for (int i = 0; i < 30; ++i)
    bed.attempts.note_stranger(kAttacker, bed.now);
  REQUIRE(bed.events.size() == 1);
  CHECK(bed.events[0].is_address);
  CHECK_FALSE(bed.attempts.note_stranger(kAttacker, bed.now).is_admitted);
  CHECK(bed.attempts.note_stranger(kListed, bed.now).is_admitted);
  CHECK(bed.attempts.blocked(bed.now).size() == 1);
  CHECK(bed.try_wrong("alice", kDesk) == 0);
}
