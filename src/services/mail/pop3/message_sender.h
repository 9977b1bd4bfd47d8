// SPDX-License-Identifier: BSD-3-Clause
// MessageSender: the text of a message as POP3 sends it (RFC 1939 sections 3, 5 and 7): lines end
// in CRLF, dots are stuffed, CRLF.CRLF at the end; for TOP the header and some lines of the body.
//
// The file may have anything in it: NULs are left out, lone CRs become ends of lines, so that a
// message never ends for the client before it does here.
//
// Memory: a piece. Thread: control; reading waits for the disk where a file is not in the page
// cache (services/mail/queue/body.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "services/mail/queue/body.h"

namespace postern::mail {

class MessageSender {
 public:
  static constexpr size_t kPiece = size_t{32} << 10;

  // `lines`: of the body; nothing: all.
  MessageSender(std::shared_ptr<const Body> body, std::optional<uint64_t> lines)
      : body_(std::move(body)), lines_(lines) {}

  // Adds the next octets to `out`: some kPiece. False: that was the end, or it failed.
  bool next(std::string& out);
  // The file could not be read to its end: the connection is to be closed.
  bool has_failed() const { return has_failed_; }

 private:
  void add(char octet, std::string& out);
  void end_line(std::string& out);
  bool has_enough() const { return lines_ && !is_header_ && sent_lines_ >= *lines_; }

  std::shared_ptr<const Body> body_;
  std::optional<uint64_t> lines_;
  std::string piece_;
  uint64_t at_ = 0;
  uint64_t sent_lines_ = 0;  // of the body
  uint64_t line_ = 0;        // octets of the line so far
  bool has_cr_ = false;      // the last octet was one
  bool is_header_ = true;
  bool is_done_ = false;
  bool has_failed_ = false;
};

}  // namespace postern::mail
