// SPDX-License-Identifier: BSD-3-Clause
// Reply: a reply of SMTP (RFC 5321 section 4.2) with its enhanced code (RFC 2034, RFC 3463),
// written and read.
//
//   250-2.1.0 first line
//   250 2.1.0 last line
//
// Bounds: what is written is cut to lines of 512 octets; what is read has at most kReplyLinesMax
// lines, and LineReader bounds each. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::mail {

constexpr size_t kReplyLinesMax = 128;

struct Reply {
  uint16_t code = 0;     // 200..599
  std::string enhanced;  // "5.1.1", of the class of `code`; empty: none, as for EHLO and 3xx
  std::string text;      // lines by "\n"; no other control octets

  bool is_ok() const { return code >= 200 && code < 300; }
  bool is_more() const { return code >= 300 && code < 400; }  // 334, 354
  bool is_transient() const { return code >= 400 && code < 500; }
  bool is_permanent() const { return code >= 500; }
  explicit operator bool() const { return code != 0; }
};

// Adds the lines with their CRLFs. Control octets in the text (of a scanner, say) become '?', so
// that nobody writes replies of his own through it; a line that is too long is cut.
void append_reply(std::string& out, const Reply& reply);

// "550 5.1.1 text", in one line: for logs and for the Diagnostic-Code of a notification.
std::string to_text(const Reply& reply);

// Whether the text is an enhanced code "c.s.d" (RFC 3463 section 2), c being 2, 4 or 5.
bool is_enhanced_code(std::string_view text);

// Puts the lines of a reply together, for those who send commands.
class ReplyReader {
 public:
  enum class Step : uint8_t {
    more,  // lines follow
    done,  // reply() is whole; the next line begins the next
    bad,   // no reply of SMTP, or too many lines: close
  };

  // `line` without its CRLF.
  Step take(std::string_view line);
  const Reply& reply() const { return reply_; }

 private:
  Reply reply_;
  size_t lines_ = 0;  // 0: the next line begins a reply
};

}  // namespace postern::mail
