// SPDX-License-Identifier: BSD-3-Clause
// One percent-encoding of a URL (RFC 3986 section 2.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "services/http/message/octets.h"

namespace postern::http {

// The octet that the percent-encoding at `at` stands for; nothing: there is none.
inline std::optional<uint8_t> encoded_octet(std::string_view text, size_t at) {
  if (text.size() - at < 3 || text[at] != '%' || !is_of(text[at + 1], kHexOctet) ||
      !is_of(text[at + 2], kHexOctet)) {
    return std::nullopt;
  }
  return static_cast<uint8_t>(hex_value(text[at + 1]) << 4 | hex_value(text[at + 2]));
}

}  // namespace postern::http
