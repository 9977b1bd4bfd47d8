// SPDX-License-Identifier: BSD-3-Clause
// What browsers send: fields of a form (application/x-www-form-urlencoded) and cookies (RFC 6265
// section 4.2). Pure; thread: any. Bounded by kFormBytesMax and kFieldsMax.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::portal {

constexpr size_t kFormBytesMax = 8192;  // a password of 1,024 bytes, each written as %XX, and more
constexpr size_t kFieldsMax = 8;

struct Field {
  std::string name;
  std::string value;  // any bytes
};

// nullopt: too much of it, or a % without two hexadecimal digits.
std::optional<std::vector<Field>> parse_form(std::string_view text);
// Nothing where the field is not there, or twice.
std::optional<std::string> find_field(const std::vector<Field>& fields, std::string_view name);

// The value of a cookie in the value of a Cookie header; empty where it is not there, or twice.
std::string_view find_cookie(std::string_view header, std::string_view name);

// Overwrites a secret that was of use, and empties the text.
void wipe(std::string& text);

// For text between tags and in quoted attributes. What is no printable ASCII becomes a '?'.
std::string escape_html(std::string_view text);

}  // namespace postern::portal
