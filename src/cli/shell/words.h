// SPDX-License-Identifier: BSD-3-Clause
// A line as words, for the shell of our own (shell.h): blanks part them; '...' and "..." keep
// blanks, a backslash keeps the next character, except within '...'. Nothing else means anything:
// no variables, patterns, pipes or further commands. Pure; thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern::cli {

constexpr size_t kLineMax = 65536;  // bytes
constexpr size_t kWordsMax = 256;

// Refuses control characters other than tabs, quotes that do not end, and what exceeds the bounds.
Result<std::vector<std::string>> split_words(std::string_view line);

}  // namespace postern::cli
