// SPDX-License-Identifier: BSD-3-Clause
// Rules for users (F27): whom they are for, and that the compiled form agrees with the list.
#include <catch2/catch.hpp>

#include "base/limits.h"
#include "dataplane/filter/classifier.h"
#include "dataplane/filter/ruleset.h"
#include "unit/filter/rule_sets.h"

namespace postern {
namespace {

constexpr SubjectId kAnna = 11, kBert = 12, kHr = 21, kStaff = 22;
constexpr SubjectId kGroups[] = {kHr, kStaff};

UserSet set_for(std::vector<SubjectId> subjects) {
  UserSet set;
  set.all = false;
  set.subjects = std::move(subjects);
  return set;
}

UserSet any_user() {
  UserSet set;
  set.all = false;
  set.anybody = true;
  return set;
}

}  // namespace

TEST_CASE("filter/users: a set holds users and groups, and nobody only where it holds all",
          "[F27]") {
  const Identity anna{kAnna, kGroups};
  const Identity bert{kBert, {&kGroups[1], 1}};
  CHECK(UserSet().contains(nullptr));
  CHECK(UserSet().contains(&anna));
  CHECK_FALSE(any_user().contains(nullptr));
  CHECK(any_user().contains(&bert));
  CHECK(set_for({kAnna}).contains(&anna));
  CHECK_FALSE(set_for({kAnna}).contains(&bert));
  CHECK_FALSE(set_for({kAnna}).contains(nullptr));
  CHECK(set_for({kHr}).contains(&anna));
  CHECK_FALSE(set_for({kHr}).contains(&bert));
  CHECK(set_for({kBert, kHr}).contains(&anna));
  CHECK(set_for({kBert, kHr}).contains(&bert));
  CHECK_FALSE(set_for({}).contains(&anna));
}

TEST_CASE("filter/users: only rules in force make queries ask for users", "[F27]") {
  Rule rule;
  CHECK_FALSE(Ruleset({rule}, Posture::normal, true).asks_users());
  rule.users = any_user();
  CHECK(Ruleset({Rule(), rule}, Posture::normal, true).asks_users());
  CHECK_FALSE(Ruleset({rule}, Posture::cut_off, true).asks_users());
  rule.enabled = false;
  CHECK_FALSE(Ruleset({rule}, Posture::normal, true).asks_users());
}

TEST_CASE("filter/users: the compiled form answers as the list does", "[F27]") {
  test::Random random(27);
  const Identity who[] = {{kAnna, kGroups}, {kBert, {&kGroups[1], 1}}};
  const UserSet sets[] = {UserSet(),        any_user(),     set_for({kAnna}),
                          set_for({kBert}), set_for({kHr}), set_for({kBert, kHr})};
  size_t decided = 0;
  for (size_t count : {5, 40, 300}) {
    std::vector<Rule> rules = test::random_rules(count, random);
    for (Rule& rule : rules)
      rule.users = sets[random() % std::size(sets)];
    Ruleset set(rules, Posture::normal, true);
    set.compile();
    REQUIRE(set.is_compiled());
    for (int i = 0; i < 2000; ++i) {
      FlowQuery query = test::query_near(rules, random);
      if (const size_t chosen = random() % 3; chosen < 2) query.who = &who[chosen];
      const auto from = static_cast<uint16_t>(random() % count);
      REQUIRE(set.find_first(query) == set.find_first_listed(query));
      REQUIRE(set.find_first(query, from) == set.find_first_listed(query, from));
      if (set.find_first(query) != kNoRule) ++decided;
    }
  }
  CHECK(decided > 1000);
}

}  // namespace postern
