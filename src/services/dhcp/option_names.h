// SPDX-License-Identifier: BSD-3-Clause
// The options that an administrator may give to clients, by name or by number, and how their values
// are written (RFC 2132, RFC 3397, RFC 3442 and the registry of the numbers). Thread: any; pure.
//
// A name decides the form of the values: addresses, numbers, text, names, routes. A number that has
// no name here takes bytes in hexadecimal; so does every option when its value begins with "hex:".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern::dhcp {

constexpr size_t kOptionValueMax = 1024;  // bytes of one option; the whole message has 1,472

// "routers" or "3" -> 3; empty where there is no such option.
std::optional<uint8_t> option_number(std::string_view name_or_number);
// All names, for hints at misspelt ones.
std::span<const std::string_view> option_names();

// The bytes of an option from its values as they stand in the configuration. The error says what
// is wrong with which value; options that the server itself answers for are refused.
Result<std::vector<uint8_t>> encode_option(uint8_t code, std::span<const std::string> values);

// "10.0.0.0/8 via 192.168.1.9" in the form of RFC 3442; for encode_option and the client's tests.
struct ClasslessRoute {
  uint32_t network = 0;  // host order
  uint8_t length = 0;
  uint32_t via = 0;
  bool operator==(const ClasslessRoute&) const = default;
};
// Empty when the bytes are no list of routes (RFC 3442: the whole option is then left alone).
std::vector<ClasslessRoute> decode_routes(std::span<const uint8_t> bytes);

}  // namespace postern::dhcp
