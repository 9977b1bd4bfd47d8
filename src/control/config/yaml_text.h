// SPDX-License-Identifier: BSD-3-Clause
// Checks on the bytes of a file before yaml-cpp sees them: what is no text, and what would cost it
// memory without bound. Thread: control. One pass each, no allocation that grows with the text.
#pragma once

#include <string_view>

#include "control/config/report.h"

namespace postern::config {

// False after a finding: invalid UTF-8, control characters, tabs, directives, or more brackets and
// commas than kNodesMax values can have.
bool check_text(std::string_view text, Report& report);

}  // namespace postern::config
