// SPDX-License-Identifier: BSD-3-Clause
// Text from outside for terminals and for lines: characters that do something are not let through.
// Thread: any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern {

// How many bytes the printable UTF-8 character (RFC 3629) at the start of `text` takes; 0: there is
// none, but a control character, one of U+0080 to U+009F included, or no character at all.
size_t printable_bytes(std::string_view text);

// With '?' for all that is no printable character.
std::string plain_text(std::string_view text);

}  // namespace postern
