// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/fields.h"

#include <algorithm>

#include "services/http/message/octets.h"

namespace postern::http {
namespace {

bool is_space(char octet) {
  return octet == ' ' || octet == '\t';
}

// Where the member at the start of `text` ends: at a comma that no quoted string holds.
size_t member_end(std::string_view text) {
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (text[at] == ',' && !quoted) {
      return at;
    }
  }
  return text.size();
}

}  // namespace

bool same_word(std::string_view one, std::string_view other) {
  return one.size() == other.size() &&
         std::equal(one.begin(), one.end(), other.begin(),
                    [](char left, char right) { return lower(left) == lower(right); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

bool Fields::add(std::string_view name, std::string_view value) {
  if (fields_.size() == kFieldsMax) return false;
  fields_.push_back(Field{name, trimmed(value)});
  return true;
}

std::optional<std::string_view> Fields::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (same_word(field.name, name)) return field.value;
  }
  return std::nullopt;
}

size_t Fields::count(std::string_view name) const {
  return static_cast<size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [name](const Field& field) { return same_word(field.name, name); }));
}

ListWalk::ListWalk(const Fields& fields, std::string_view name) : fields_(&fields), name_(name) {}

ListWalk::ListWalk(std::string_view value) : rest_(value) {}

std::optional<std::string_view> ListWalk::next() {
  for (;;) {
    while (!rest_.empty()) {
      const size_t end = member_end(rest_);
      const std::string_view member = trimmed(rest_.substr(0, end));
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      if (!member.empty()) return member;
    }
    if (fields_ == nullptr) return std::nullopt;
    while (field_ < fields_->size() &&
           !same_word((fields_->begin() + static_cast<long>(field_))->name, name_)) {
      ++field_;
    }
    if (field_ == fields_->size()) return std::nullopt;
    rest_ = (fields_->begin() + static_cast<long>(field_++))->value;
  }
}

}  // namespace postern::http
