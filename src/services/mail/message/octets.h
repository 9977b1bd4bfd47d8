// SPDX-License-Identifier: BSD-3-Clause
// Classes of octets in mail (RFC 5321 section 4.1.2, RFC 5322 section 3.2.3) and the search for the
// three octets that can break a line, eight octets at a time. Thread: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace postern::mail {

enum OctetClass : uint8_t {
  kAtomOctet = 1,   // atext
  kAlnumOctet = 2,  // letters and digits
  kDigitOctet = 4,
};

constexpr std::array<uint8_t, 256> make_octet_classes() {
  std::array<uint8_t, 256> classes = {};
  auto mark = [&classes](std::string_view octets, unsigned as) {
    for (const char octet : octets) {
      uint8_t& entry = classes[static_cast<uint8_t>(octet)];
      entry = static_cast<uint8_t>(entry | as);
    }
  };
  mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", kAtomOctet | kAlnumOctet);
  mark("0123456789", kAtomOctet | kAlnumOctet | kDigitOctet);
  mark("!#$%&'*+-/=?^_`{|}~", kAtomOctet);
  return classes;
}

inline constexpr std::array<uint8_t, 256> kOctetClasses = make_octet_classes();

constexpr bool is_of(char octet, OctetClass octet_class) {
  return (kOctetClasses[static_cast<uint8_t>(octet)] & octet_class) != 0;
}

constexpr bool is_high(char octet) {
  return static_cast<uint8_t>(octet) >= 0x80;
}

constexpr bool is_control(char octet) {
  return static_cast<uint8_t>(octet) < 0x20 || octet == 0x7f;
}

constexpr bool is_blank(char octet) {
  return octet == ' ' || octet == '\t';
}

constexpr char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

// Without blanks at both ends.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

// The value of a hexadecimal digit; 16: it is none.
constexpr unsigned hex_value(char digit) {
  if (is_of(digit, kDigitOctet)) return static_cast<unsigned>(digit - '0');
  const char letter = lower(digit);
  return letter >= 'a' && letter <= 'f' ? static_cast<unsigned>(letter - 'a') + 10 : 16;
}

constexpr bool is_breaker(char octet) {
  return octet == '\r' || octet == '\n' || octet == '\0';
}

// Where the first CR, LF or NUL of `text` is, from `at` on; the size of `text` where there is none.
inline size_t find_breaker(std::string_view text, size_t at) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = kOnes * 0x80;
  while (at + 8 <= text.size()) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    // A high bit is set where an octet is below 0x0e; perhaps above such a one, too.
    if (((word - kOnes * 0x0e) & ~word & kHighs) != 0) {
      for (size_t i = at; i < at + 8; ++i) {
        if (is_breaker(text[i])) return i;
      }
    }
    at += 8;
  }
  while (at < text.size() && !is_breaker(text[at]))
    ++at;
  return at;
}

}  // namespace postern::mail
