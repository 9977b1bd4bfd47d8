// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/plain_text.h"
#include "services/http/message/octets.h"
#include "services/http/message/percent.h"

namespace postern::http {
namespace {

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto octet = static_cast<unsigned char>(text.front());
    const size_t size = octet < 0x80 ? 1 : printable_bytes(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

void append_number(std::string& out, unsigned char octet) {
  fmt::format_to(std::back_inserter(out), "&#{};", unsigned{octet});
}

}  // namespace

void append_html(std::string& out, std::string_view text) {
  const bool is_plain = is_utf8(text);
  for (const char letter : text) {
    const auto octet = static_cast<unsigned char>(letter);
    if (octet >= 0x80) {
      // 0x80 to 0x9f are no characters of Latin-1.
      if (is_plain) {
        out += letter;
      } else if (octet >= 0xa0) {
        append_number(out, octet);
      } else {
        out += '?';
      }
    } else if (octet < 0x20 || octet == 0x7f) {
      out += octet == '\t' ? ' ' : '?';
    } else if (letter == '<' || letter == '>' || letter == '&' || letter == '"' || letter == '\'') {
      append_number(out, octet);
    } else {
      out += letter;
    }
  }
}

void append_encoded_part(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char letter : text) {
    if (is_of(letter, kUnreservedOctet)) {
      out += letter;
      continue;
    }
    const auto octet = static_cast<unsigned char>(letter);
    out += '%';
    out += kDigits[octet >> 4];
    out += kDigits[octet & 15];
  }
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '%') {
      out += text[at++];
      continue;
    }
    const std::optional<uint8_t> octet = encoded_octet(text, at);
    if (!octet) return std::nullopt;
    out += static_cast<char>(*octet);
    at += 3;
  }
  return out;
}

std::optional<std::string> form_decoded(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decoded(spaced);
}

std::string size_text(uint64_t octets) {
  constexpr std::array kUnits = {"k", "M", "G", "T", "P", "E"};
  constexpr uint64_t kStep = 1024;
  if (octets < kStep) return std::to_string(octets);
  auto size = static_cast<double>(octets);
  size_t unit = 0;
  for (size /= kStep; size >= kStep && unit + 1 < kUnits.size(); size /= kStep)
    ++unit;
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

}  // namespace postern::http
