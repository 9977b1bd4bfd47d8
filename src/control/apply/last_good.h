// SPDX-License-Identifier: BSD-3-Clause
// The last configuration that was put into force, kept on disk so that a broken file at the next
// start does not leave the gateway without one (F02, C03). Thread: control.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace postern {

std::string last_good_path(const std::string& state_dir);
// Whole or not at all, durably.
Result<void> write_last_good(const std::string& state_dir, std::string_view text);
// not_found when there is none.
Result<std::string> read_last_good(const std::string& state_dir);

}  // namespace postern
