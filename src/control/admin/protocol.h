// SPDX-License-Identifier: BSD-3-Clause
// The wire format of the administration socket, shared by the daemon and `postern`.
//
//   frame     length (4 bytes, big-endian, of what follows), one JSON object in UTF-8
//   request   {"version": 1, "command": "show sessions", ...}
//   response  {"version": 1, "ok": true, "result": {...}}
//             {"version": 1, "ok": false, "error": {"code": "invalid", "text": "..."}, ...}
//
// One request a connection at a time, one response for each, in order. The socket is
// RUN_DIR/postern.sock and belongs to root and, where the configuration names one, to a group.
// Thread: any; pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::admin {

constexpr unsigned kProtocolVersion = 1;
constexpr const char* kSocketName = "postern.sock";
constexpr size_t kLengthBytes = 4;
constexpr size_t kRequestMax = 16u << 20;   // a 4 MiB configuration, escaped
constexpr size_t kResponseMax = 64u << 20;  // the largest dump

inline std::string socket_path(const std::string& run_dir) {
  return run_dir + "/" + kSocketName;
}

inline std::array<uint8_t, kLengthBytes> encode_length(size_t length) {
  auto n = static_cast<uint32_t>(length);
  return {static_cast<uint8_t>(n >> 24), static_cast<uint8_t>(n >> 16),
          static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)};
}

// Empty: nothing, or more than `length_max` is announced; the connection is of no further use.
inline std::optional<size_t> decode_length(std::span<const uint8_t, kLengthBytes> bytes,
                                           size_t length_max) {
  size_t length =
      size_t{bytes[0]} << 24 | size_t{bytes[1]} << 16 | size_t{bytes[2]} << 8 | bytes[3];
  if (length == 0 || length > length_max) return std::nullopt;
  return length;
}

// The word of an error on the wire, and back; an unknown word is `failed`.
inline std::string_view to_word(ErrorCode code) {
  switch (code) {
    case ErrorCode::failed:
      return "failed";
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::denied:
      return "denied";
    case ErrorCode::exhausted:
      return "exhausted";
  }
  return "failed";
}

inline ErrorCode error_code_from(std::string_view word) {
  for (ErrorCode code : {ErrorCode::invalid, ErrorCode::not_found, ErrorCode::unavailable,
                         ErrorCode::denied, ErrorCode::exhausted}) {
    if (to_word(code) == word) return code;
  }
  return ErrorCode::failed;
}

}  // namespace postern::admin
