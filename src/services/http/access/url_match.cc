// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/access/url_match.h"

#include <algorithm>

namespace postern::http {
namespace {

bool is_host_octet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool is_address6(std::string_view pattern) {
  return pattern.size() > 2 && pattern.front() == '[' && pattern.back() == ']' &&
         pattern.substr(1, pattern.size() - 2).find_first_not_of("0123456789abcdef:.") ==
             std::string_view::npos;
}

// Goes back to the last star only: what came before it has matched as early as it could.
bool matches(std::string_view pattern, std::string_view text) {
  size_t at = 0;
  size_t here = 0;
  size_t star = std::string_view::npos;
  size_t resume = 0;
  while (here < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      resume = here;
    } else if (at < pattern.size() && pattern[at] == text[here]) {
      ++at;
      ++here;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      here = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

}  // namespace

std::string lowered(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
  }
  return lower;
}

std::string fault_of_host(std::string_view pattern) {
  if (pattern == "*" || is_address6(pattern)) return "";
  if (pattern.substr(0, 2) == "*.") pattern.remove_prefix(2);
  if (pattern.find('*') != std::string_view::npos)
    return "\"*\" stands alone or for the labels before a \".\" at the beginning";
  const bool is_name = !pattern.empty() && pattern.size() <= 253 &&
                       std::all_of(pattern.begin(), pattern.end(), is_host_octet) &&
                       pattern.front() != '.' && pattern.back() != '.' &&
                       pattern.find("..") == std::string_view::npos;
  return is_name ? "" : "neither the name of a host nor an address";
}

std::string fault_of_path(std::string_view pattern) {
  if (pattern.front() != '/' && pattern.front() != '*') return "does not begin with \"/\" or \"*\"";
  const bool is_plain = std::all_of(pattern.begin(), pattern.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != 0x7f;
  });
  return is_plain ? "" : "white space or a control octet in it";
}

bool matches_path(std::string_view pattern, std::string_view path) {
  if (pattern.find('?') == std::string_view::npos) path = path.substr(0, path.find('?'));
  if (matches(pattern, path)) return true;
  if (pattern.back() != '/') return false;
  std::string below(pattern);
  below += '*';
  return matches(below, path);
}

bool have_common(std::span<const uint32_t> one, std::span<const uint32_t> other) {
  auto left = one.begin();
  auto right = other.begin();
  while (left != one.end() && right != other.end()) {
    if (*left == *right) return true;
    *left < *right ? ++left : ++right;
  }
  return false;
}

}  // namespace postern::http
