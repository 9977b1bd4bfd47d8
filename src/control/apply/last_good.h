// SPDX-License-Identifier: BSD-3-Clause
// The last configuration that was put into force, kept on disk so that a broken file at the next
// start does not leave the gateway without one (F02, C03). Written whole or not at all: a new file
// is synced, then renamed over the old one, then the directory is synced. Thread: control.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace postern {

std::string last_good_path(const std::string& state_dir);
Result<void> write_last_good(const std::string& state_dir, std::string_view text);
// not_found when there is none.
Result<std::string> read_last_good(const std::string& state_dir);

// Reads a whole file of at most kConfigurationMax bytes.
constexpr size_t kConfigurationMax = 4u << 20;
Result<std::string> read_text_file(const std::string& path);

}  // namespace postern
