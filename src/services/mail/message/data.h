// SPDX-License-Identifier: BSD-3-Clause
// DataDecoder, DataEncoder: the text of a message on its way through DATA (RFC 5321
// sections 4.1.1.4 and 4.5.2) or through a multi-line answer of POP3 (RFC 1939 section 3), which is
// the same.
//
//   wire  "Subject: a" CRLF CRLF "..b" CRLF "." CRLF
//   text  "Subject: a" CRLF CRLF ".b" CRLF
//
// CRLF "." CRLF and nothing else ends it, be it in one piece or octet by octet; at the very start
// "." CRLF does. A CR or LF that stands alone, and a NUL, are faults: other servers take one or the
// other for the end of a line, and a message that ends at two places is two messages for somebody.
// Behind a fault the decoder gives no more text but goes on to the end, so that the session can say
// no at the right place. DataStrictness::repair is for mailboxes of others (POP3): lone CRs and LFs
// become CRLF in the text, which still never ends there, and NULs are dropped.
//
// So what a decoder gave out has lines that end in CRLF and no NUL, and the encoder refuses all
// else.
//
// Bounds: `line_max` octets a line with CRLF and stuffed dot. No memory. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::mail {

enum class DataFault : uint8_t {
  none,
  bare_cr,
  bare_lf,
  nul,
  long_line,
};

// A few words for the reply and the log, of static storage: "bare LF".
std::string_view to_text(DataFault fault);

enum class DataStrictness : uint8_t {
  refuse,
  repair,  // long lines are left alone, too
};

class DataDecoder {
 public:
  explicit DataDecoder(size_t line_max, DataStrictness strictness = DataStrictness::refuse)
      : line_max_(line_max), strictness_(strictness) {}

  struct Piece {
    size_t taken = 0;       // so many octets are dealt with; may be 0: call again
    std::string_view text;  // the next of the message; may be empty; into `octets` or static
    bool is_done = false;   // what is left of `octets` is no longer the message's
  };

  // Goes on to the end of the next piece, of the message, or of `octets`; call it again with what
  // is left of them until nothing is, or it is done.
  Piece feed(std::string_view octets);

  // Once set it stays: the text that was given out is not to be kept.
  DataFault fault() const { return fault_; }
  bool is_done() const { return state_ == State::done; }
  // For the next message.
  void restart();

 private:
  enum class State : uint8_t {
    line_start,  // behind CRLF, or at the start
    dot,         // "." at the start of a line, not given out
    dot_cr,      // "." CR
    text,
    cr,  // a CR that is not given out before its LF is there
    done,
  };

  Piece feed_text(std::string_view octets);
  Piece feed_lone(char octet);
  Piece lone_cr();
  Piece give(size_t taken, std::string_view text) const;
  void end_line();
  void fail(DataFault fault);

  size_t line_max_;
  DataStrictness strictness_;
  size_t line_ = 0;  // octets of the line so far
  State state_ = State::line_start;
  DataFault fault_ = DataFault::none;
};

class DataEncoder {
 public:
  // Adds `text` with its dots stuffed to `out`. False, with nothing more added: a lone CR or LF or
  // a NUL in it. Then the connection is to be closed without finish(): the next hop never gets an
  // end that it could take for one of a part.
  [[nodiscard]] bool feed(std::string_view text, std::string& out);
  // Adds what ends the message, with a CRLF where the last line has none. False as above.
  [[nodiscard]] bool finish(std::string& out);

 private:
  enum class State : uint8_t { line_start, text, cr, failed };

  State state_ = State::line_start;
};

}  // namespace postern::mail
