// SPDX-License-Identifier: BSD-3-Clause
// Mark: a place in the configuration file.
#pragma once

#include <cstdint>

namespace postern::config {

// Line and column count from 1, 0 means "not from the file". Marks are not part of the meaning:
// they always compare equal.
struct Mark {
  uint32_t line = 0;
  uint32_t column = 0;
  friend constexpr bool operator==(const Mark&, const Mark&) { return true; }
};

}  // namespace postern::config
