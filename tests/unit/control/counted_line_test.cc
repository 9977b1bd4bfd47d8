// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/counted_line.h"

#include <catch2/catch.hpp>

using namespace postern;

TEST_CASE("control/counted_line: one line in a while, with the number of the others", "[F61]") {
  CountedLine line(seconds(10));
  const Instant now = Instant{} + seconds(5);
  CHECK(line.note(now) == "");
  for (int i = 0; i < 7; ++i)
    CHECK_FALSE(line.note(now + seconds(9)));
  CHECK(line.note(now + seconds(10)) == " (and 7 others since the last such line)");
  CHECK_FALSE(line.note(now + seconds(19)));
  CHECK(line.note(now + seconds(20)) == " (and 1 others since the last such line)");
  CHECK(line.note(now + seconds(30)) == "");
}
