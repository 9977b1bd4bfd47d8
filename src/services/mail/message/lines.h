// SPDX-License-Identifier: BSD-3-Clause
// LineReader: lines of a command protocol (SMTP, POP3) out of octets as they come.
//
//   while (!octets.empty()) {
//     const LineReader::Piece piece = reader.feed(octets);
//     octets.remove_prefix(piece.taken);
//     if (piece.step == LineStep::line) use(piece.line);     // without its CRLF
//   }
//
// CRLF alone ends a line (RFC 5321 section 2.3.8). A CR or LF that stands alone, or a NUL, is a
// fault at the octet that shows it: what two parties end at two places is how commands are
// smuggled, so the answer to it is to close. A line that is too long is skipped to its CRLF and
// told once.
//
// Bounds: `line_max` octets with the CRLF; skipping ends with LineStep::endless after kSkipMax
// octets. Thread: any; nothing is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::mail {

constexpr size_t kCommandLineMax = 512;  // RFC 5321 section 4.5.3.1.4, without extensions
constexpr size_t kReplyLineMax = 512;    // RFC 5321 section 4.5.3.1.5
constexpr size_t kTextLineMax = 1000;    // RFC 5321 section 4.5.3.1.6: less must not be a limit
constexpr size_t kSkipMax = 65536;       // of a line that is too long, before it counts as endless

enum class LineStep : uint8_t {
  more,      // all octets are taken, the line is not whole
  line,      // a line
  too_long,  // a line was skipped, its CRLF is taken
  bare_cr,   // a fault: the reader takes nothing any more
  bare_lf,
  nul,
  endless,
};

constexpr bool is_fault(LineStep step) {
  return step >= LineStep::bare_cr;
}

class LineReader {
 public:
  explicit LineReader(size_t line_max) : line_max_(line_max) {}

  struct Piece {
    size_t taken = 0;
    std::string_view line;  // into `octets` or into the reader, until the next call
    LineStep step = LineStep::more;
  };

  Piece feed(std::string_view octets);

  // For the lines from here on, as where AUTH answers may be longer than commands.
  void set_line_max(size_t line_max) { line_max_ = line_max; }
  // Whether a line has begun and not ended.
  bool has_begun() const { return !held_.empty() || skipped_ != 0; }
  // Forgets what has begun: plain octets before a TLS handshake mean nothing behind it.
  void restart();

 private:
  Piece end_line(std::string_view octets, size_t lf);
  Piece hold(std::string_view octets);
  Piece fail(LineStep step, size_t taken);

  size_t line_max_;
  std::string line_;      // told last, where it came in pieces
  std::string held_;      // of the line that is not whole, at most line_max_
  size_t skipped_ = 0;    // octets of a line that is too long; 0: it is not
  bool ends_cr_ = false;  // the last octet was a CR
  LineStep fault_ = LineStep::more;
};

}  // namespace postern::mail
