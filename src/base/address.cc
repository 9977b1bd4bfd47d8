// SPDX-License-Identifier: BSD-3-Clause
#include "base/address.h"

#include <cstdio>

namespace postern {
namespace {

// Reads a decimal number without sign or leading zeros from the front of `text`.
std::optional<uint32_t> take_decimal(std::string_view& text, uint32_t max) {
  size_t digits = 0;
  uint32_t value = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    value = value * 10 + static_cast<uint32_t>(text[digits] - '0');
    ++digits;
    if (value > max || digits > 3) return std::nullopt;
  }
  if (digits == 0 || (digits > 1 && text[0] == '0')) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

std::optional<uint8_t> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

std::optional<Ipv4Address> parse_ipv4(std::string_view text) {
  uint32_t number = 0;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) {
      if (text.empty() || text[0] != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    auto octet = take_decimal(text, 255);
    if (!octet) return std::nullopt;
    number = number << 8 | *octet;
  }
  if (!text.empty()) return std::nullopt;
  return Ipv4Address(number);
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto address = parse_ipv4(text.substr(0, slash));
  std::string_view rest = text.substr(slash + 1);
  auto length = take_decimal(rest, 32);
  if (!address || !length || !rest.empty()) return std::nullopt;
  return Prefix{*address, static_cast<uint8_t>(*length)};
}

std::optional<AddressRange> parse_address_range(std::string_view text) {
  if (size_t dash = text.find('-'); dash != std::string_view::npos) {
    auto first = parse_ipv4(text.substr(0, dash));
    auto last = parse_ipv4(text.substr(dash + 1));
    if (!first || !last || *last < *first) return std::nullopt;
    return AddressRange{*first, *last};
  }
  if (text.find('/') != std::string_view::npos) {
    auto prefix = parse_prefix(text);
    if (!prefix || prefix->has_host_bits()) return std::nullopt;
    return AddressRange{prefix->network(), prefix->last()};
  }
  auto one = parse_ipv4(text);
  if (!one) return std::nullopt;
  return AddressRange{*one, *one};
}

std::optional<MacAddress> parse_mac(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  MacAddress mac;
  for (size_t i = 0; i < 6; ++i) {
    auto high = hex_digit(text[i * 3]);
    auto low = hex_digit(text[i * 3 + 1]);
    if (!high || !low || (i < 5 && text[i * 3 + 2] != ':')) return std::nullopt;
    mac.bytes[i] = static_cast<uint8_t>(*high << 4 | *low);
  }
  return mac;
}

std::string to_text(Ipv4Address address) {
  char out[16];
  uint32_t n = address.number;
  std::snprintf(out, sizeof out, "%u.%u.%u.%u", n >> 24, n >> 16 & 255, n >> 8 & 255, n & 255);
  return out;
}

std::string to_text(const Prefix& prefix) {
  return to_text(prefix.address) + "/" + std::to_string(prefix.length);
}

std::string to_text(const AddressRange& range) {
  if (range.first == range.last) return to_text(range.first);
  uint32_t span = range.first.number ^ range.last.number;
  unsigned host_bits = span == 0 ? 0 : 32u - static_cast<unsigned>(__builtin_clz(span));
  Prefix prefix{range.first, static_cast<uint8_t>(32 - host_bits)};
  if (prefix.network() == range.first && prefix.last() == range.last) return to_text(prefix);
  return to_text(range.first) + "-" + to_text(range.last);
}

std::string to_text(const MacAddress& mac) {
  char out[18];
  const auto& b = mac.bytes;
  std::snprintf(out, sizeof out, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
                b[5]);
  return out;
}

}  // namespace postern
