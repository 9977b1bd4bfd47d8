// SPDX-License-Identifier: BSD-3-Clause
#include "services/portal/form.h"

#include <sodium.h>

namespace postern::portal {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
      continue;
    }
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

// Takes what is before `end` off the text, and `end`.
std::string_view take_until(std::string_view& text, char end) {
  const size_t stop = std::min(text.find(end), text.size());
  const std::string_view taken = text.substr(0, stop);
  text.remove_prefix(std::min(stop + 1, text.size()));
  return taken;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<std::vector<Field>> parse_form(std::string_view text) {
  if (text.size() > kFormBytesMax) return std::nullopt;
  std::vector<Field> fields;
  while (!text.empty()) {
    std::string_view pair = take_until(text, '&');
    if (pair.empty()) continue;
    if (fields.size() == kFieldsMax) return std::nullopt;
    auto name = decoded(take_until(pair, '='));
    auto value = decoded(pair);
    if (!name || !value) return std::nullopt;
    fields.push_back({std::move(*name), std::move(*value)});
  }
  return fields;
}

std::optional<std::string> find_field(const std::vector<Field>& fields, std::string_view name) {
  const Field* found = nullptr;
  for (const Field& field : fields) {
    if (field.name != name) continue;
    if (found != nullptr) return std::nullopt;
    found = &field;
  }
  if (found == nullptr) return std::nullopt;
  return found->value;
}

std::string_view find_cookie(std::string_view header, std::string_view name) {
  std::string_view value;
  bool is_found = false;
  while (!header.empty()) {
    std::string_view pair = take_until(header, ';');
    if (trimmed(take_until(pair, '=')) != name) continue;
    if (is_found) return {};
    is_found = true;
    value = trimmed(pair);
  }
  return value;
}

void wipe(std::string& text) {
  text.resize(text.capacity());
  sodium_memzero(text.data(), text.size());
  text.clear();
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c >= ' ' && c < 0x7F ? c : '?';
    }
  }
  return out;
}

}  // namespace postern::portal
