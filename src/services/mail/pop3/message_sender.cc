// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/pop3/message_sender.h"

#include <algorithm>

namespace postern::mail {

bool MessageSender::next(std::string& out) {
  if (is_done_) return false;
  piece_.resize(kPiece);
  const size_t count = has_enough() ? 0 : body_->read(at_, piece_);
  const bool is_end = has_enough() || at_ + count == body_->octets();
  if (count == 0 && !is_end) {
    is_done_ = has_failed_ = true;
    return false;
  }
  at_ += count;
  for (size_t i = 0; i < count && !has_enough(); ++i)
    add(piece_[i], out);
  if (!is_end && !has_enough()) return true;
  if (line_ > 0 && !has_enough()) end_line(out);
  out += ".\r\n";
  is_done_ = true;
  return false;
}

// A line ends at LF, at CRLF, and at a CR that stands alone.
void MessageSender::add(char octet, std::string& out) {
  const bool had_cr = has_cr_;
  has_cr_ = octet == '\r';
  if (octet == '\n' && had_cr) return;  // ended by its CR
  if (octet == '\n' || octet == '\r') return end_line(out);
  if (octet == '\0') return;
  if (line_ == 0 && octet == '.') out += '.';
  out += octet;
  ++line_;
}

void MessageSender::end_line(std::string& out) {
  out += "\r\n";
  if (is_header_) {
    if (line_ == 0) is_header_ = false;
  } else {
    ++sent_lines_;
  }
  line_ = 0;
}

}  // namespace postern::mail
