// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/policy/identities.h"

#include <catch2/catch.hpp>

namespace postern {
namespace {

Ipv4Address host(uint32_t number) {
  return Ipv4Address(0xC0A80000 + number);
}

}  // namespace

TEST_CASE("policy/identities: hosts are found, with their user and groups", "[F27]") {
  std::vector<SubjectId> many(kGroupsOfUserMax + 5, 7);
  const Identities set(3, {{host(9), 19, {5, 6}}, {host(2), 12, {}}, {host(5), 15, many}}, {}, 0,
                       2);
  CHECK(set.generation == 3);
  CHECK(set.size() == 3);
  REQUIRE(set.find(host(9)) != nullptr);
  CHECK(set.find(host(9))->user == 19);
  REQUIRE(set.find(host(9))->groups.size() == 2);
  CHECK(set.find(host(9))->groups[1] == 6);
  CHECK(set.find(host(2))->groups.empty());
  CHECK(set.find(host(5))->groups.size() == kGroupsOfUserMax);
  for (uint32_t other : {0, 1, 3, 6, 10})
    CHECK(set.find(host(other)) == nullptr);
  CHECK(Identities().find(host(9)) == nullptr);
  CHECK(set.address_at(set.index_of(host(5))) == host(5));
}

TEST_CASE("policy/identities: what changed after a generation, or that it is forgotten", "[F27]") {
  const Identities set(8, {}, {{5, host(1), 0}, {7, host(2), 12}, {8, host(3), 0}}, 4, 1);
  std::span<const Identities::Change> changes;
  CHECK(set.changes_after(4, changes));
  CHECK(changes.size() == 3);
  CHECK(set.changes_after(5, changes));
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].address == host(2));
  CHECK(set.changes_after(8, changes));
  CHECK(changes.empty());
  CHECK_FALSE(set.changes_after(3, changes));
}

TEST_CASE("policy/identities: a host was last seen when any worker saw it last", "[F27]") {
  const Identities set(1, {{host(1), 11, {}}, {host(2), 12, {}}}, {}, 0, 2);
  REQUIRE(set.watches());
  CHECK(set.last_seen(0) == 0);
  set.note_seen(0, 0, 50);
  set.note_seen(1, 0, 70);
  set.note_seen(1, 0, 60);
  CHECK(set.last_seen(0) == 70);
  CHECK(set.last_seen(1) == 0);
  CHECK_FALSE(Identities(1, {}, {}, 0, 2).watches());
}

}  // namespace postern
