// SPDX-License-Identifier: BSD-3-Clause
// Ends of lines: CRLF on the wire (RFC 5321 section 2.3.8), LF in the files of a mailbox. Text
// comes in pieces that end anywhere. No bounds, no memory. Thread: any.
#pragma once

#include <string>
#include <string_view>

namespace postern::mail {

// CRLF becomes LF; a CR that stands alone stays.
class ToLf {
 public:
  void feed(std::string_view text, std::string& out) {
    for (const char c : text) {
      if (has_cr_ && c != '\n') out += '\r';
      has_cr_ = c == '\r';
      if (!has_cr_) out += c;
    }
  }

 private:
  bool has_cr_ = false;  // not written: what follows says whether
};

// LF becomes CRLF; CRLF stays.
class ToCrlf {
 public:
  void feed(std::string_view text, std::string& out) {
    for (const char c : text) {
      if (c == '\n' && !has_cr_) out += '\r';
      has_cr_ = c == '\r';
      out += c;
    }
  }

 private:
  bool has_cr_ = false;
};

}  // namespace postern::mail
