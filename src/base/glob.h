// SPDX-License-Identifier: BSD-3-Clause
// Patterns as people write them: '*' for any octets, '?' for one, the whole text, without regard to
// ASCII case. At most as many steps as pattern times text. Thread: any.
#pragma once

#include <string_view>

namespace postern {

bool matches_glob(std::string_view pattern, std::string_view text);

}  // namespace postern
