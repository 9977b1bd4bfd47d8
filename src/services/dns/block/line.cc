// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/block/line.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

namespace postern::dns {
namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";

constexpr const char* kNoName = "this is no domain name";
constexpr const char* kOneLabel = "a whole top-level domain; write ||name^ to block it";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// Takes the next word off the front of `text`; empty at the end or at a comment.
std::string_view next_word(std::string_view& text) {
  text = trimmed(text);
  if (text.empty() || text.front() == '#') return {};
  const size_t end = std::min(text.find_first_of(kSpace), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

bool has_one_label(const WireName& name) {
  return name.bytes[name.bytes[0] + 1u] == 0;
}

enum class AddressKind { none, blocking, other };

AddressKind address_kind(std::string_view word) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  if (word.size() >= text.size()) return AddressKind::none;
  std::ranges::copy(word, text.begin());
  in_addr v4 = {};
  if (inet_pton(AF_INET, text.data(), &v4) == 1) {
    const uint32_t number = ntohl(v4.s_addr);
    return number == 0 || number >> 24 == 127 ? AddressKind::blocking : AddressKind::other;
  }
  in6_addr v6 = {};
  if (inet_pton(AF_INET6, text.data(), &v6) != 1) return AddressKind::none;
  const bool blocks = IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_LOOPBACK(&v6);
  return blocks ? AddressKind::blocking : AddressKind::other;
}

// What hosts files hold for the system's own sake.
bool is_system_name(std::string_view word) {
  constexpr std::array<std::string_view, 5> kNames = {"localhost", "localhost.localdomain", "local",
                                                      "broadcasthost", "0.0.0.0"};
  return word.starts_with("ip6-") || std::ranges::find(kNames, word) != kNames.end();
}

const char* parse_hosts(std::string_view rest, NameSink& sink) {
  bool is_empty = true;
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    is_empty = false;
    if (is_system_name(word)) continue;
    WireName name;
    if (!to_wire_name(word, name)) return kNoName;
    if (has_one_label(name)) return kOneLabel;
    sink.take({.wire = name.view()});
  }
  return is_empty ? "an address without a name" : nullptr;
}

const char* parse_plain(std::string_view word, std::string_view rest, NameSink& sink) {
  if (!next_word(rest).empty()) return "more than one name without an address";
  if (word.starts_with("*.")) word.remove_prefix(2);
  WireName name;
  if (!to_wire_name(word, name)) return kNoName;
  if (has_one_label(name)) return kOneLabel;
  sink.take({.wire = name.view(), .with_subdomains = true});
  return nullptr;
}

// `rule` begins behind the "||".
const char* parse_adblock(std::string_view rule, bool is_exception, NameSink& sink) {
  const size_t end = std::min(rule.find('^'), rule.size());
  std::string_view tail = rule.substr(std::min(end + 1, rule.size()));
  if (tail.starts_with('|')) tail.remove_prefix(1);
  if (!tail.empty() && tail != "$important" && tail != "$all") {
    return "a rule with options or a path, which names alone cannot follow";
  }
  WireName name;
  if (!to_wire_name(rule.substr(0, end), name)) return kNoName;
  sink.take({.wire = name.view(), .with_subdomains = true, .is_exception = is_exception});
  return nullptr;
}

std::optional<uint8_t> name_octet(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<uint8_t>(c - 'A' + 'a');
  const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  if (!fits) return std::nullopt;
  return static_cast<uint8_t>(c);
}

}  // namespace

bool to_wire_name(std::string_view text, WireName& out) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return false;
  size_t length_at = 0;
  size_t at = 1;
  for (const char c : text) {
    if (c == '.') {
      if (at - length_at < 2) return false;  // an empty label
      out.bytes[length_at] = static_cast<uint8_t>(at - length_at - 1);
      length_at = at++;
      continue;
    }
    const auto octet = name_octet(c);
    if (!octet || at - length_at > 63) return false;
    out.bytes[at++] = *octet;
  }
  if (at - length_at < 2) return false;
  out.bytes[length_at] = static_cast<uint8_t>(at - length_at - 1);
  out.bytes[at] = 0;
  out.length = at + 1;
  return true;
}

const char* parse_block_line(std::string_view line, NameSink& sink) {
  line = trimmed(line);
  if (line.starts_with("\xEF\xBB\xBF")) line = trimmed(line.substr(3));
  if (line.empty() || line.front() == '#' || line.front() == '!') return nullptr;
  if (line.front() == '[' && line.back() == ']') return nullptr;  // "[Adblock Plus 2.0]"
  std::string_view rest = line;
  std::string_view word = next_word(rest);
  const bool is_exception = word.starts_with("@@");
  if (is_exception) word.remove_prefix(2);
  if (word.starts_with("||")) {
    if (!next_word(rest).empty()) return "more than one name without an address";
    return parse_adblock(word.substr(2), is_exception, sink);
  }
  if (is_exception) return "an exception that is no name";
  switch (address_kind(word)) {
    case AddressKind::blocking:
      return parse_hosts(rest, sink);
    case AddressKind::other:
      return "the address is none that blocks (0.0.0.0, 127.0.0.1, ::, ::1)";
    case AddressKind::none:
      break;
  }
  return parse_plain(word, rest, sink);
}

}  // namespace postern::dns
