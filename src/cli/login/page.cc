// SPDX-License-Identifier: BSD-3-Clause
#include "cli/login/page.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/address.h"

namespace postern::cli {
namespace {

constexpr size_t kCookieChars = 64, kTokenChars = 32;
constexpr size_t kUserMax = 63;
constexpr size_t kTroubleMax = 200;
constexpr int64_t kPauseMaxS = 60;
constexpr int64_t kSecondsMax = int64_t{366} * 86'400;

// What stands between the first `begin` and the next `end`; nothing: one of them is missing.
std::optional<std::string_view> between(std::string_view text, std::string_view begin,
                                        std::string_view end) {
  size_t at = text.find(begin);
  if (at == std::string_view::npos) return std::nullopt;
  at += begin.size();
  const size_t stop = text.find(end, at);
  if (stop == std::string_view::npos) return std::nullopt;
  return text.substr(at, stop - at);
}

bool is_hex(std::string_view text, size_t length) {
  return text.size() == length && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// Text between tags, for people: references resolved, printable, cut.
std::string plain(std::string_view html, size_t length_max) {
  struct Reference {
    std::string_view name;
    char is;
  };
  constexpr std::array kReferences = std::to_array<Reference>(
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}});
  std::string text;
  while (!html.empty() && text.size() < length_max) {
    char c = html.front();
    size_t taken = 1;
    for (const Reference& reference : kReferences) {
      if (!html.starts_with(reference.name)) continue;
      c = reference.is;
      taken = reference.name.size();
    }
    text += c >= ' ' && c < 0x7F ? c : '?';
    html.remove_prefix(taken);
  }
  return text;
}

// A number of seconds; `otherwise` where there is none, or one that cannot be.
int64_t seconds_between(std::string_view html, std::string_view begin, int64_t otherwise) {
  const std::string_view text = between(html, begin, "\"").value_or("");
  int64_t number = 0;
  auto [at, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_sound = wrong == std::errc() && at == text.data() + text.size() && number >= 0 &&
                        number <= kSecondsMax;
  return is_sound ? number : otherwise;
}

void read_state(std::string_view html, Page& page) {
  page.user = plain(between(html, "<dd id=\"user\">", "<").value_or(""), kUserMax);
  page.address = plain(between(html, "<dd id=\"address\">", "<").value_or(""), kUserMax);
  page.left_s = seconds_between(html, "<data id=\"left\" value=\"", -1);
  page.idle_s = seconds_between(html, "<data id=\"idle\" value=\"", 0);
  page.refresh_s = seconds_between(html, "http-equiv=\"refresh\" content=\"", 0);
  const bool is_sound = !page.user.empty() && parse_ipv4(page.address);
  page.kind = is_sound ? Page::Kind::state : Page::Kind::other;
}

bool is_plain_in_forms(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

void append_encoded(std::string& form, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (char c : text) {
    if (is_plain_in_forms(c)) {
      form += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    form += '%';
    form += kDigits[octet >> 4];
    form += kDigits[octet & 15];
  }
}

}  // namespace

Page read_page(std::string_view html) {
  Page page;
  page.trouble = plain(between(html, "role=\"alert\">", "<").value_or(""), kTroubleMax);
  const std::string_view token = between(html, "name=\"token\" value=\"", "\"").value_or("");
  if (!is_hex(token, kTokenChars)) return page;
  page.token = token;
  if (html.find("action=\"/login\"") != std::string_view::npos) {
    page.kind = Page::Kind::form;
  } else if (html.find("action=\"/logout\"") != std::string_view::npos) {
    read_state(html, page);
  }
  return page;
}

int64_t keep_alive_s(const Page& state) {
  int64_t pause_s = kPauseMaxS;
  if (state.refresh_s > 0) pause_s = std::min(pause_s, state.refresh_s);
  // Three times before it is missed.
  if (state.idle_s > 0) pause_s = std::min(pause_s, state.idle_s / 3);
  if (state.left_s >= 0) pause_s = std::min(pause_s, state.left_s + 1);
  return std::max<int64_t>(pause_s, 1);
}

bool is_cookie(std::string_view text) {
  return is_hex(text, kCookieChars);
}

std::string cookie_in(const std::vector<std::string>& set_cookies, std::string_view name) {
  std::string found;
  for (std::string_view header : set_cookies) {
    const size_t equal = header.find('=');
    if (equal == std::string_view::npos || header.substr(0, equal) != name) continue;
    header.remove_prefix(equal + 1);
    const std::string_view value = header.substr(0, header.find(';'));
    if (is_cookie(value)) found = value;
  }
  return found;
}

std::string encode_form(const Fields& fields) {
  size_t size = 0;
  for (const auto& [name, value] : fields)
    size += 2 + 3 * (name.size() + value.size());
  std::string form;
  form.reserve(size);
  for (const auto& [name, value] : fields) {
    if (!form.empty()) form += '&';
    append_encoded(form, name);
    form += '=';
    append_encoded(form, value);
  }
  return form;
}

}  // namespace postern::cli
