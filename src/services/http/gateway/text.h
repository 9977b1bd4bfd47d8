// SPDX-License-Identifier: BSD-3-Clause
// Text of servers of other protocols in pages and in URLs. What it says is anybody's: nothing of it
// goes into a page but through here. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::http {

// `text` for HTML, also within quotes: in UTF-8 where it is that, else as if it were Latin-1;
// control octets become '?'.
void append_html(std::string& out, std::string_view text);

// Octets as a part of a path: all but unreserved ones are percent-encoded, '/' too.
void append_encoded_part(std::string& out, std::string_view text);

// Without the percent-encodings; nothing: a '%' that begins none.
std::optional<std::string> percent_decoded(std::string_view text);

// Of a query as a form sends it: '+' is a space.
std::optional<std::string> form_decoded(std::string_view text);

// 1234567 -> "1.2 M".
std::string size_text(uint64_t octets);

}  // namespace postern::http
