// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/header.h"

#include <algorithm>

#include "services/mail/message/address.h"
#include "services/mail/message/octets.h"

namespace postern::mail {
namespace {

// RFC5322-2.2: printable ASCII without the colon; the blanks before the colon are of RFC 822.
std::string_view name_of(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view name = trim(line.substr(0, colon));
  const bool is_sound =
      !is_blank(line.front()) &&
      std::all_of(name.begin(), name.end(), [](char octet) { return octet > ' ' && octet < 0x7f; });
  return is_sound ? name : std::string_view();
}

}  // namespace

void HeaderFields::add(std::string_view name, std::string_view value) {
  fields_.push_back({std::string(name), std::string(value)});
}

std::string_view HeaderFields::find(std::string_view name) const {
  for (const HeaderField& field : fields_) {
    if (same_word(field.name, name)) return field.value;
  }
  return {};
}

size_t HeaderFields::count(std::string_view name) const {
  return static_cast<size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [&](const HeaderField& field) { return same_word(field.name, name); }));
}

std::vector<Address> HeaderFields::addresses(std::string_view name) const {
  std::vector<Address> out;
  for (const HeaderField& field : fields_) {
    if (same_word(field.name, name)) parse_address_list(field.value, out);
  }
  return out;
}

void HeaderScanner::feed(std::string_view text) {
  while (!text.empty() && !is_done_) {
    const size_t lf = std::min(text.find('\n'), text.size());
    const bool is_whole = lf < text.size();
    const size_t taken = is_whole ? lf + 1 : lf;
    if (length_ + line_.size() + taken > limits_.header) {
      is_cut_ = true;
      end();
      return;
    }
    line_ += text.substr(0, taken);
    text.remove_prefix(taken);
    if (!is_whole) return;
    take_line(line_);
    line_.clear();
  }
}

void HeaderScanner::finish() {
  if (is_done_) return;
  if (!line_.empty()) take_line(line_);
  end();
}

void HeaderScanner::take_line(std::string_view line) {
  const size_t size = line.size();
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
    line.remove_suffix(1);
  const bool is_folded = !line.empty() && is_blank(line.front()) && !field_.empty();
  if (line.empty() || (!is_folded && name_of(line).empty())) {
    end();
    return;
  }
  if (!is_folded) take_field();
  if (is_done_) return;  // too many fields
  field_ += line;
  length_ += size;
}

void HeaderScanner::take_field() {
  if (field_.empty()) return;
  const std::string_view name = name_of(field_);
  if (same_word(name, "Received")) ++hops_;
  if (fields_.size() == limits_.fields) {
    is_cut_ = true;
    is_done_ = true;
    return;
  }
  fields_.add(name, trim(std::string_view(field_).substr(field_.find(':') + 1)));
  field_.clear();
}

void HeaderScanner::end() {
  take_field();
  is_done_ = true;
  line_.clear();
  field_.clear();
}

}  // namespace postern::mail
