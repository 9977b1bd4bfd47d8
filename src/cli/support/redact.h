// SPDX-License-Identifier: BSD-3-Clause
// What is left out of a support bundle: passwords, hashes, keys, tokens. Not the configuration's
// schema decides but what a text looks like, so that it also holds for a file that is not valid,
// for log lines, and for keys that are not known here:
//
//   values of keys with a telling name (password, hash, secret, token, psk, ..._key), whatever
//     lines they go over; PEM blocks; $id$... hashes; credentials in URLs; and opaque words
//     (16 and more letters and digits of all kinds, 32 and more hexadecimal digits)
//
// Too much is taken rather than too little. Any bytes; linear in them. Pure; thread: any.
#pragma once

#include <string>
#include <string_view>

#include "cli/client.h"

namespace postern::cli {

inline constexpr const char* kRedacted = "(redacted)";

bool is_secret_key(std::string_view key);
// A configuration: comments go, too, for they may hold anything.
std::string redact_configuration(std::string_view text);
// Lines of a log and of the system.
std::string redact_lines(std::string_view text);
void redact_json(Json& json);

}  // namespace postern::cli
