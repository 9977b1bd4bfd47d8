// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/text_splitter.h"

#include <algorithm>

#include "services/mail/message/octets.h"

namespace postern::mail {
namespace {

// RFC5322-2.2: printable ASCII without the colon; blanks before the colon are of RFC 822.
std::string_view name_of(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || is_blank(line.front())) return {};
  const std::string_view name = trim(line.substr(0, colon));
  const bool is_sound =
      std::all_of(name.begin(), name.end(), [](char octet) { return octet > ' ' && octet < 0x7f; });
  return is_sound ? name : std::string_view();
}

std::string_view without_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

void TextSplitter::feed(std::string_view text, Sink& sink) {
  while (!text.empty() && !is_body_) {
    const size_t lf = text.find('\n');
    const size_t taken = lf == std::string_view::npos ? text.size() : lf + 1;
    line_ += text.substr(0, taken);
    text.remove_prefix(taken);
    if (lf == std::string_view::npos && line_.size() <= kLineMax) return;
    const std::string line = std::move(line_);
    line_.clear();
    take_line(line, sink);
    is_midline_ = lf == std::string_view::npos;
  }
  if (!text.empty()) sink.body(text);
}

void TextSplitter::finish(Sink& sink) {
  const std::string line = std::move(line_);
  line_.clear();
  if (!line.empty()) take_line(line, sink);
  if (!is_body_) end_header(sink);
}

void TextSplitter::take_line(std::string_view line, Sink& sink) {
  const std::string_view content = without_end(line);
  if (is_midline_) {
    value_ += content;
  } else if (content.empty()) {
    return end_header(sink);
  } else if (is_blank(content.front()) && !name_.empty()) {
    value_ += '\n';
    value_ += content;
  } else if (const std::string_view name = name_of(content); !name.empty()) {
    give_field(sink);
    is_given_ = false;
    name_ = name;
    value_ = content.substr(content.find(':') + 1);
  } else {
    end_header(sink);
    sink.body(line);
    return;
  }
  if (name_.size() + value_.size() <= field_max_) return;
  give_field(sink);
  is_given_ = true;
}

void TextSplitter::give_field(Sink& sink) {
  if (name_.empty() || (is_given_ && value_.empty())) return;
  const size_t part = field_max_ - std::min(name_.size(), field_max_ - 1);
  const std::string_view name = std::string_view(name_).substr(0, field_max_ - part);
  std::string_view value = value_;
  do {
    sink.field(name, value.substr(0, part));
    value.remove_prefix(std::min(part, value.size()));
  } while (!value.empty());
  value_.clear();
}

void TextSplitter::end_header(Sink& sink) {
  give_field(sink);
  name_.clear();
  is_body_ = true;
  sink.end_of_header();
}

}  // namespace postern::mail
