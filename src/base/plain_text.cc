// SPDX-License-Identifier: BSD-3-Clause
#include "base/plain_text.h"

#include <cstdint>

namespace postern {
namespace {

uint8_t byte_at(std::string_view text, size_t i) {
  return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
}

bool follows(std::string_view text, size_t i) {
  return (byte_at(text, i) & 0xC0) == 0x80;
}

// U+0080 to U+009F.
bool is_second_control(std::string_view text) {
  return byte_at(text, 0) == 0xC2 && follows(text, 1) && byte_at(text, 1) < 0xA0;
}

}  // namespace

size_t printable_bytes(std::string_view text) {
  const uint8_t first = byte_at(text, 0), second = byte_at(text, 1);
  if (first < 0x80) return first < 0x20 || first == 0x7F ? 0 : 1;
  if (first >= 0xC2 && first <= 0xDF) {
    return follows(text, 1) && !is_second_control(text) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const bool is_overlong = first == 0xE0 && second < 0xA0;
    const bool is_surrogate = first == 0xED && second >= 0xA0;
    return follows(text, 1) && follows(text, 2) && !is_overlong && !is_surrogate ? 3 : 0;
  }
  if (first < 0xF0 || first > 0xF4) return 0;
  const bool is_overlong = first == 0xF0 && second < 0x90;
  const bool is_beyond = first == 0xF4 && second >= 0x90;
  const bool is_whole = follows(text, 1) && follows(text, 2) && follows(text, 3);
  return is_whole && !is_overlong && !is_beyond ? 4 : 0;
}

std::string plain_text(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    size_t bytes = printable_bytes(text);
    if (bytes == 0) {
      plain += '?';
      bytes = is_second_control(text) ? 2 : 1;
    } else {
      plain += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return plain;
}

}  // namespace postern
