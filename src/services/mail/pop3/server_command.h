// SPDX-License-Identifier: BSD-3-Clause
// A command of POP3 (RFC 1939 section 3): a keyword and arguments, one space between them.
#pragma once

#include <string>
#include <string_view>

#include "services/mail/pop3/server_session.h"

namespace postern::mail {

struct Pop3Session::Command {
  std::string word;       // in upper case
  std::string_view rest;  // behind its space

  // Arguments without empty ones.
  size_t count() const {
    size_t number = 0;
    while (!argument(number).empty())
      ++number;
    return number;
  }
  std::string_view argument(size_t wanted) const {
    std::string_view left = rest;
    while (true) {
      const size_t begin = left.find_first_not_of(' ');
      if (begin == std::string_view::npos) return {};
      left.remove_prefix(begin);
      const std::string_view one = left.substr(0, left.find(' '));
      if (wanted-- == 0) return one;
      left.remove_prefix(one.size());
    }
  }
};

inline Pop3Session::Command Pop3Session::read_command(std::string_view line) {
  const size_t space = line.find(' ');
  Command command;
  for (const char c : line.substr(0, space))
    command.word += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (space != std::string_view::npos) command.rest = line.substr(space + 1);
  return command;
}

}  // namespace postern::mail
