// SPDX-License-Identifier: BSD-3-Clause
// What a session costs in memory: both lines of its own, two entries in the index, and a mapping
// with two more, as the usual session through a masqueraded address has.
#include <catch2/catch.hpp>

#include "control/config/model.h"
#include "dataplane/nat/mapping.h"
#include "dataplane/nat/session.h"

namespace postern::test {

TEST_CASE("pipeline/memory: a session with a mapping of its own takes 192 bytes at most") {
  constexpr size_t kBytesMax = 192;
  const config::Limits limits = config::Model().system.limits;
  const SessionTable sessions({limits.sessions, 0, 0, 0}, HashSeed{});
  const MappingTable mappings(limits.mappings, HashSeed{});
  REQUIRE(limits.mappings == limits.sessions);
  CHECK(sessions.bytes() + mappings.bytes() <= kBytesMax * limits.sessions);
}

}  // namespace postern::test
