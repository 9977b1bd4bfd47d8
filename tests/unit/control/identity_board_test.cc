// SPDX-License-Identifier: BSD-3-Clause
#include "control/identity/identity_board.h"

#include <catch2/catch.hpp>

#include "control/compile/subjects.h"

namespace postern {
namespace {

Ipv4Address host(uint32_t number) {
  return Ipv4Address(0xC0A80000 + number);
}

struct Bed {
  IdentitySlot slot{2};
  IdentityBoard board{slot, 2};

  // Both workers take up what is published.
  void take_up() {
    const uint32_t generation = slot.acquire()->generation;
    slot.finished(0, generation);
    slot.finished(1, generation);
  }
};

}  // namespace

TEST_CASE("control/identity: log-ins and log-outs are before the workers at once", "[F27]") {
  Bed bed;
  CHECK(bed.slot.acquire() == nullptr);
  REQUIRE(bed.board.set(host(1), "anna", {"hr", "staff"}));
  const Identities* set = bed.slot.acquire();
  REQUIRE(set->find(host(1)) != nullptr);
  CHECK(set->find(host(1))->user == user_number("anna"));
  CHECK(set->find(host(1))->groups[1] == group_number("staff"));
  CHECK(user_number("hr") != group_number("hr"));
  // The same once more changes nothing.
  REQUIRE(bed.board.set(host(1), "anna", {"hr", "staff"}));
  CHECK(bed.slot.acquire() == set);
  bed.take_up();
  REQUIRE(bed.board.set(host(1), "bert", {}));
  std::span<const Identities::Change> changes;
  CHECK(bed.slot.acquire()->changes_after(1, changes));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].was == user_number("anna"));
  bed.board.erase(host(1));
  CHECK(bed.slot.acquire()->find(host(1)) == nullptr);
  bed.board.erase(host(1));
  CHECK(bed.slot.acquire()->generation == 3);
}

TEST_CASE("control/identity: sets are freed when no worker reads them, and wait for slow ones",
          "[F27]") {
  Bed bed;
  for (uint32_t i = 0; i < IdentityBoard::kRetiredMax + 4; ++i)
    REQUIRE(bed.board.set(host(i), "anna", {}));
  CHECK(bed.board.retired() == IdentityBoard::kRetiredMax);
  CHECK(bed.slot.acquire()->size() == IdentityBoard::kRetiredMax + 1);
  bed.take_up();
  bed.board.turn();
  CHECK(bed.slot.acquire()->size() == IdentityBoard::kRetiredMax + 4);
  bed.take_up();
  bed.board.turn();
  CHECK(bed.board.retired() == 0);
  // All that came late are changes of that one set.
  std::span<const Identities::Change> changes;
  CHECK(bed.slot.acquire()->changes_after(IdentityBoard::kRetiredMax + 1, changes));
  CHECK(changes.size() == 3);
}

TEST_CASE("control/identity: a full board takes nobody new; old changes are forgotten", "[F27]") {
  Bed bed;
  for (uint32_t i = 0; i < kIdentitiesMax; ++i) {
    REQUIRE(bed.board.set(host(i), "anna", {}));
    bed.take_up();
    bed.board.turn();
  }
  CHECK_FALSE(bed.board.set(host(kIdentitiesMax), "anna", {}));
  CHECK(bed.board.set(host(0), "bert", {}));
  std::span<const Identities::Change> changes;
  CHECK_FALSE(bed.slot.acquire()->changes_after(1, changes));
  CHECK(bed.slot.acquire()->changes_after(kIdentitiesMax + 1 - kIdentityChangesMax, changes));
}

TEST_CASE("control/identity: when a host was seen outlives the set that says it", "[F27]") {
  Bed bed;
  REQUIRE(bed.board.set(host(1), "anna", {}));
  CHECK(bed.board.last_seen(host(1)) == 0);
  const Identities* first = bed.slot.acquire();
  first->note_seen(1, first->index_of(host(1)), 90);
  CHECK(bed.board.last_seen(host(1)) == 90);
  REQUIRE(bed.board.set(host(2), "bert", {}));
  CHECK(bed.board.last_seen(host(1)) == 90);
  bed.take_up();
  bed.board.turn();
  CHECK(bed.board.retired() == 0);
  CHECK(bed.board.last_seen(host(1)) == 90);
  CHECK(bed.board.last_seen(host(3)) == 0);
}

}  // namespace postern
