// SPDX-License-Identifier: BSD-3-Clause
// What is wrong with a configuration, as `check` and `apply` show it.
#pragma once

#include <string>

#include "cli/client.h"

namespace postern::cli {

// One line for each on standard error: "FILE:LINE:COL: error: PATH: TEXT". `findings` is an array
// of objects with severity, line, column, path and text.
void print_findings(const Json& findings, const std::string& file);

}  // namespace postern::cli
