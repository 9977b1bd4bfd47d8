// SPDX-License-Identifier: BSD-3-Clause
// Base 64 (RFC 4648 section 4) as AUTH speaks it. Strict: whole groups of four, padding at the end
// only, no blanks, and no bits behind the last octet. Bounds: those of the text. Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::mail {

std::string encode_base64(std::string_view octets);
// Nothing: it is not base 64.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace postern::mail
