// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/yaml_text.h"

#include <algorithm>
#include <string>

#include "control/config/yaml.h"

namespace postern::config {
namespace {

// Length of the UTF-8 sequence at the front of `text` (RFC 3629), 0 when it is not one.
size_t utf8_length(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  size_t length = byte(0) < 0x80   ? 1
                  : byte(0) < 0xC2 ? 0
                  : byte(0) < 0xE0 ? 2
                  : byte(0) < 0xF0 ? 3
                  : byte(0) < 0xF5 ? 4
                                   : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (byte(0) == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
  if (byte(0) == 0xED && byte(1) >= 0xA0) return 0;  // surrogates
  if (byte(0) == 0xF0 && byte(1) < 0x90) return 0;   // overlong
  if (byte(0) == 0xF4 && byte(1) >= 0x90) return 0;  // beyond U+10FFFF
  return length;
}

// What is wrong with the character at the front of `text`, or empty.
std::string_view character_fault(std::string_view text, bool first_in_line) {
  char c = text[0];
  if (c == '\t') return "tab character: indent and align with spaces";
  if (c == '%' && first_in_line) return "directives (%) are not allowed";
  if (c == '\r' && text.substr(0, 2) != "\r\n") return "carriage return without line feed";
  if (c == '\n' || c == '\r') return {};
  if (c == '\0') return "NUL byte: this is not a text file";
  if ((c > 0 && c < ' ') || c == '\x7F') return "control character";
  if (utf8_length(text) == 0) return "not valid UTF-8";
  // RFC 3629: C2 80..9F are the C1 control characters; E2 80 A8..A9 break lines for some readers.
  if (c == '\xC2' && static_cast<uint8_t>(text[1]) < 0xA0) return "control character";
  return {};
}

// Checks the bytes before yaml-cpp sees them. One finding per kind of fault and line is enough.
bool check_characters(std::string_view text, Report& report) {
  bool good = true;
  uint32_t line = 1;
  size_t line_start = 0;
  uint32_t faulty_line = 0;
  for (size_t i = 0; i < text.size();) {
    std::string_view fault = character_fault(text.substr(i), i == line_start);
    if (!fault.empty() && faulty_line != line) {
      report.error({line, static_cast<uint32_t>(i - line_start) + 1}, "", std::string(fault));
      faulty_line = line;
    }
    if (!fault.empty()) good = false;
    if (text[i] == '\n') {
      ++line;
      line_start = i + 1;
    }
    i += std::max<size_t>(1, utf8_length(text.substr(i)));
  }
  return good;
}

// Counts what yaml-cpp would have to remember. It reads a flow list or map ([...], {...}) to its
// end before it hands out the first part of it, so that a file of brackets or commas alone would
// take 250 times its size. Only as exact as that needs: block scalars are read as if they were
// values.
class FlowCounter {
 public:
  explicit FlowCounter(std::string_view text) : text_(text) {}

  // Where the text goes beyond `depth_max` open brackets or `values_max` brackets and commas.
  size_t find_excess(size_t depth_max, size_t values_max) {
    for (; at_ < text_.size(); ++at_) {
      step(text_[at_]);
      if (depth_ > depth_max || values_ > values_max) return at_;
    }
    return std::string_view::npos;
  }

 private:
  void step(char c) {
    bool begins = begins_;  // a value may begin here
    if (c == '\n' || c == '\r') {
      begins_ = true;
    } else if (c != ' ') {
      begins_ = false;
    }
    if (c == '#' && (at_ == 0 || text_[at_ - 1] == ' ' || text_[at_ - 1] == '\n')) {
      at_ = std::min(text_.find('\n', at_), text_.size()) - 1;
    } else if ((c == '"' || c == '\'') && begins) {
      skip_quoted(c);
    } else if ((c == '[' || c == '{') && (begins || depth_ > 0)) {
      ++depth_;
      ++values_;
      begins_ = true;
    } else if ((c == ']' || c == '}') && depth_ > 0) {
      --depth_;
    } else if (c == ',' && depth_ > 0) {
      ++values_;
      begins_ = true;
    } else if ((c == '-' || c == ':' || c == '?') && followed_by_space()) {
      begins_ = true;
    }
  }

  bool followed_by_space() const {
    return at_ + 1 == text_.size() || text_[at_ + 1] == ' ' || text_[at_ + 1] == '\n';
  }

  // Leaves at_ on the closing quote.
  void skip_quoted(char quote) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (quote == '"' && text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == quote) {
        bool doubled = quote == '\'' && text_.substr(at_ + 1, 1) == "'";
        if (!doubled) return;
        ++at_;
      }
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t depth_ = 0;
  size_t values_ = 0;
  bool begins_ = true;
};

Mark mark_of(std::string_view text, size_t at) {
  auto lines = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  size_t line_start = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  return {static_cast<uint32_t>(lines) + 1, static_cast<uint32_t>(at - line_start) + 1};
}

}  // namespace

bool check_text(std::string_view text, Report& report) {
  if (!check_characters(text, report)) return false;
  // Far from what any file means, so that the counter need not be exact.
  constexpr size_t kOpenMax = 1000;
  size_t excess = FlowCounter(text).find_excess(kOpenMax, kNodesMax);
  if (excess == std::string_view::npos) return true;
  report.error(mark_of(text, excess), "", "more open brackets or commas than a file may have");
  return false;
}

}  // namespace postern::config
