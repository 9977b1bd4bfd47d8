// SPDX-License-Identifier: BSD-3-Clause
// Classes of octets (RFC 9110 section 5.6, RFC 3986 section 2), and a search for control octets
// that looks at eight octets at a time: heads are read at a few octets a nanosecond by it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace postern::http {

enum OctetClass : uint8_t {
  kTokenOctet = 1,
  kDigitOctet = 2,
  kHexOctet = 4,
  kUnreservedOctet = 8,  // of URIs
  kNameOctet = 16,       // of host names, without the dot
};

constexpr std::array<uint8_t, 256> make_octet_classes() {
  std::array<uint8_t, 256> classes = {};
  auto mark = [&classes](std::string_view octets, unsigned as) {
    for (const char octet : octets) {
      uint8_t& entry = classes[static_cast<uint8_t>(octet)];
      entry = static_cast<uint8_t>(entry | as);
    }
  };
  constexpr unsigned kAlnum = kTokenOctet | kUnreservedOctet | kNameOctet;
  mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", kAlnum);
  mark("0123456789", kAlnum | kDigitOctet | kHexOctet);
  mark("ABCDEFabcdef", kHexOctet);
  mark("!#$%&'*+-.^_`|~", kTokenOctet);
  mark("-._~", kUnreservedOctet);
  mark("-_", kNameOctet);
  return classes;
}

inline constexpr std::array<uint8_t, 256> kOctetClasses = make_octet_classes();

constexpr bool is_of(char octet, OctetClass octet_class) {
  return (kOctetClasses[static_cast<uint8_t>(octet)] & octet_class) != 0;
}

// Whether `text` is not empty and all of that class.
constexpr bool all_of(std::string_view text, OctetClass octet_class) {
  for (const char octet : text) {
    if (!is_of(octet, octet_class)) return false;
  }
  return !text.empty();
}

constexpr bool is_control(char octet) {
  return (static_cast<uint8_t>(octet) < 0x20 && octet != '\t') || octet == 0x7f;
}

constexpr char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

// The value of a hexadecimal digit.
constexpr unsigned hex_value(char digit) {
  return is_of(digit, kDigitOctet) ? static_cast<unsigned>(digit - '0')
                                   : static_cast<unsigned>(lower(digit) - 'a') + 10;
}

// Where the first control octet of `text` is, from `at` on: below 0x20 but for the tab, or 0x7f.
// The size of `text` where there is none.
inline size_t find_control(std::string_view text, size_t at) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = kOnes * 0x80;
  while (at + 8 <= text.size()) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    // A high bit is set where an octet is below 0x20, or is 0x7f; perhaps above such a one, too.
    const uint64_t low = (word - kOnes * 0x20) & ~word;
    const uint64_t del = ((word ^ kOnes * 0x7f) - kOnes) & ~(word ^ kOnes * 0x7f);
    if (((low | del) & kHighs) != 0) {
      for (size_t i = at; i < at + 8; ++i) {
        if (is_control(text[i])) return i;
      }
    }
    at += 8;
  }
  while (at < text.size() && !is_control(text[at]))
    ++at;
  return at;
}

// Whether `text` is visible ASCII alone, without spaces.
constexpr bool is_visible(std::string_view text) {
  for (const char octet : text) {
    if (octet <= 0x20 || octet >= 0x7f) return false;
  }
  return true;
}

}  // namespace postern::http
