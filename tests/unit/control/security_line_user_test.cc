// SPDX-License-Identifier: BSD-3-Clause
#include <catch2/catch.hpp>

#include "control/log/security_line.h"

namespace postern {

TEST_CASE("control/security_line: who is logged in stands last, by name where it is known",
          "[F27][F66]") {
  UserNames users;
  users.note(0xAB, "anna");
  SecurityLine line("gw", &users);
  LogRecord record;
  CHECK(line.format(record, nullptr, 0).find("user=") == std::string_view::npos);
  record.user = 0xAB;
  CHECK(line.format(record, nullptr, 0).ends_with(" user=\"anna\""));
  record.user = 0xCD;
  CHECK(line.format(record, nullptr, 0).ends_with(" user=\"#cd\""));
}

}  // namespace postern
