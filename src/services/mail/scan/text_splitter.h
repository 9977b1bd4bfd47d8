// SPDX-License-Identifier: BSD-3-Clause
// TextSplitter: the text of a message as scanners by milter want it: fields as they were written,
// the end of the header, the body.
//
//   "Subject: a" CRLF " b" CRLF CRLF "text" CRLF
//     -> field("Subject", " a\n b"), end_of_header(), body("text" CRLF)
//
// The header ends where HeaderScanner says: at the empty line, or before the first line that is
// neither a field nor the continuation of one, which is body then.
//
// Bounds: a field is given in parts of the same name where it is longer than `field_max`, so that
// nothing of the message is hidden from a scanner; of a line kLineMax octets are kept. Thread: any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::mail {

class TextSplitter {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    // `value`: what follows the colon, its lines by LF.
    virtual void field(std::string_view name, std::string_view value) = 0;
    virtual void end_of_header() = 0;  // once, at the latest with finish()
    virtual void body(std::string_view octets) = 0;
  };

  static constexpr size_t kLineMax = 65536;

  // `field_max`: octets of name and value.
  explicit TextSplitter(size_t field_max) : field_max_(field_max) {}

  void feed(std::string_view text, Sink& sink);
  void finish(Sink& sink);

 private:
  void take_line(std::string_view line, Sink& sink);
  void give_field(Sink& sink);
  void end_header(Sink& sink);

  size_t field_max_;
  std::string line_;         // not whole yet
  std::string name_;         // of the field so far; empty: there is none
  std::string value_;        // of that
  bool is_given_ = false;    // a part of that
  bool is_midline_ = false;  // the next octets belong to the line before: it is very long
  bool is_body_ = false;
};

}  // namespace postern::mail
