// SPDX-License-Identifier: BSD-3-Clause
// What the scripts of dialogues have in common: a word and the rest of the line, comments by "#",
// escapes \r \n \t \0 \xNN, and replies.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "services/mail/message/reply.h"

namespace postern::test {

struct ChatLine {
  size_t number = 0;
  std::string word;  // "C:", "set" ...
  std::string rest;
};

inline std::vector<ChatLine> parse_chat(std::string_view script) {
  std::vector<ChatLine> lines;
  for (size_t number = 1; !script.empty(); ++number) {
    const size_t end = std::min(script.find('\n'), script.size());
    const std::string text(script.substr(0, end));
    script.remove_prefix(std::min(end + 1, script.size()));
    if (text.empty() || text.front() == '#') continue;
    const size_t space = std::min(text.find(' '), text.size());
    lines.push_back({number, text.substr(0, space),
                     space < text.size() ? text.substr(space + 1) : std::string()});
  }
  return lines;
}

inline std::string unescape(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char sign = text[++i];
    if (sign == 'x') {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += sign == 'r'   ? '\r'
             : sign == 'n' ? '\n'
             : sign == 't' ? '\t'
             : sign == '0' ? '\0'
                           : sign;
    }
  }
  return out;
}

// "550 5.1.1 text"
inline mail::Reply reply_of(const std::string& text) {
  mail::Reply reply;
  if (text == "ok") return reply;
  mail::ReplyReader reader;
  if (reader.take(text) != mail::ReplyReader::Step::done)
    throw std::runtime_error("no reply: " + text);
  return reader.reply();
}

}  // namespace postern::test
