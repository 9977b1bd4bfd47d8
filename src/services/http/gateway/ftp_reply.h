// SPDX-License-Identifier: BSD-3-Clause
// FtpReplyReader: the replies of an FTP server out of the octets that come on its control
// connection (RFC 959 section 4.2), and what some of them say in their text.
//
//   220 Ready.                     one line: code, space, text
//   211-Features:                  several: up to a line with the same code and a space; what
//   stands
//    MLST size*;modify*;           between may look like anything
//   211 End
//
// Lines end in LF with or without a CR before it. Bounds: kLineMax octets a line, kLinesMax lines a
// reply, of which kTextMax octets are kept. Thread: any; nothing is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "services/http/message/outcome.h"

namespace postern::http {

struct FtpReply {
  int code = 0;      // 100..599
  std::string text;  // the lines without the code of the first and the last one, parted by LF

  int group() const { return code / 100; }
  // For logs and pages: code and the last line of the text.
  std::string brief() const;
};

class FtpReplyReader {
 public:
  static constexpr size_t kLineMax = 4096;
  static constexpr size_t kLinesMax = 1024;
  static constexpr size_t kTextMax = 65536;

  // Takes octets up to the end of a reply; `octets` is what is left of them. Refused: this is no
  // FTP server, or one that does not stop talking.
  Step feed(std::string_view& octets);
  // done: until the next feed(), which begins a new one.
  const FtpReply& reply() const { return reply_; }
  void restart();

 private:
  Step take_line();
  void keep(std::string_view text);

  FtpReply reply_;
  std::string line_;
  size_t lines_ = 0;
  bool is_done_ = false;
};

// "(|||6446|)" of a 229 (RFC 2428 section 3): the port; nothing: there is none, or an address of
// which that RFC says that it is not there.
std::optional<uint16_t> parse_epsv(std::string_view text);

// "h1,h2,h3,h4,p1,p2" of a 227 (RFC 959 section 4.1.2, RFC 1123 section 4.1.2.6): the port. The
// address counts for nothing: data come from where the control connection leads.
std::optional<uint16_t> parse_pasv(std::string_view text);

// The number of octets in a 213 (RFC 3659 section 4); at most 2^63-1.
std::optional<uint64_t> parse_ftp_size(std::string_view text);

// YYYYMMDDHHMMSS[.fraction], UTC, of a 213 or a fact (RFC 3659 section 2.3): seconds since 1970.
std::optional<int64_t> parse_ftp_time(std::string_view text);

}  // namespace postern::http
