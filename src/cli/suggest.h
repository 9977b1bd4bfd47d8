// SPDX-License-Identifier: BSD-3-Clause
// The nearest word to a mistyped one, for messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern::cli {

// The word of `words` that is closest to `typed`, or empty when none is close enough to be meant.
std::string nearest(std::string_view typed, const std::vector<std::string>& words);

}  // namespace postern::cli
