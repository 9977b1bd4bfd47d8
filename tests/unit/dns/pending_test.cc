// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/pending.h"

#include <catch2/catch.hpp>

namespace postern::dns {

TEST_CASE("dns/pending: a crowd that waited for one answer leaves no memory behind", "[F53]") {
  PendingTable table;
  Question question;
  question.name = *parse_name("www.example");
  question.type = type::a;
  Pending* pending = table.add(question, 1);
  REQUIRE(pending);
  for (size_t i = 0; i < kWaitersMax; ++i)
    table.add_waiter(*pending, {});
  CHECK_FALSE(table.has_room_to_wait());
  table.remove(*pending);
  CHECK(table.waiters() == 0);
  CHECK(pending->waiters.capacity() <= PendingTable::kWaitersKept);
}

TEST_CASE("dns/pending: the few who mostly wait cost no allocation", "[F53]") {
  PendingTable table;
  Pending* pending = table.add({}, 1);
  for (size_t i = 0; i < PendingTable::kWaitersKept; ++i)
    table.add_waiter(*pending, {});
  const size_t before = pending->waiters.capacity();
  table.remove(*pending);
  CHECK(pending->waiters.capacity() == before);
}

}  // namespace postern::dns
