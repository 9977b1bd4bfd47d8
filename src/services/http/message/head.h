// SPDX-License-Identifier: BSD-3-Clause
// RequestReader, ResponseReader: the head of an HTTP/1.x message (RFC 9112 sections 2 to 5) out of
// the octets that have come so far.
//
//   received: "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next ..."
//             '------- length() -----------'   what follows is not looked at
//
// One pass finds the end of the head and goes on where the last call left off, so that a head which
// comes octet by octet costs no more than one that comes at once; then the whole head is parsed,
// once. What is parsed are views into `received`: they hold as long as those octets stay where they
// were at the call that said `done`.
//
// Strict, because what two parties read in two ways is how requests are smuggled: lines end in CRLF
// and in nothing else, no folded lines, no white space before the colon, no control octets.
//
// Bounds: HeadLimits. Thread: any; nothing is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "services/http/message/fields.h"
#include "services/http/message/outcome.h"

namespace postern::http {

// In octets, ends of lines included. RFC 9112 section 3 asks for lines of 8000 at least.
struct HeadLimits {
  size_t line = 16384;
  size_t head = 65536;
  size_t fields = 100;  // at most kFieldsMax
};

struct RequestHead {
  std::string_view method;
  std::string_view target;  // visible ASCII only; parse_target() tells more
  uint8_t minor = 0;        // 0 or 1: HTTP/1.2 and above are read as 1.1 (RFC 9110 section 2.5)
  Fields fields;
};

struct ResponseHead {
  uint16_t status = 0;      // 100..999; those above 599 mean what 500 means (RFC 9110 section 15)
  uint8_t minor = 0;        // as above
  std::string_view reason;  // may be empty
  Fields fields;
};

// Finds where a head ends. For the readers below.
class HeadScan {
 public:
  explicit HeadScan(const HeadLimits& limits) : limits_(limits) {}

  // `received` begins with the first octet of the message and has only grown since the last call.
  Step scan(std::string_view received, bool is_request);
  void restart();

  size_t start() const { return start_; }     // of the first line, behind an empty one
  size_t length() const { return line_at_; }  // done: of the head and the empty line that ends it
  Refusal refusal() const { return refusal_; }
  const HeadLimits& limits() const { return limits_; }

 private:
  Step refuse(uint16_t status, std::string_view reason);
  bool end_line(std::string_view received, size_t lf, bool is_request);

  HeadLimits limits_;
  size_t start_ = 0;
  size_t line_at_ = 0;  // where the line begins that is not whole yet
  size_t seen_ = 0;     // up to here there is no further LF
  size_t lines_ = 0;
  bool is_done_ = false;
  Refusal refusal_;
};

class RequestReader {
 public:
  explicit RequestReader(const HeadLimits& limits = HeadLimits()) : scan_(limits) {}

  // `received`: all that came since the message began; it may have been moved since the last call.
  // Once it said `done` it may be called again with the octets in another place: the views are then
  // of that one.
  // Refused with 400, 414 (first line), 431 (fields), 501 (method) or 505 (version).
  Step read(std::string_view received);
  // For the next message; keeps the memory.
  void restart();

  // done:
  const RequestHead& head() const { return head_; }
  size_t length() const { return scan_.length(); }
  // refused:
  Refusal refusal() const { return refusal_; }

 private:
  HeadScan scan_;
  RequestHead head_;
  Refusal refusal_;
};

class ResponseReader {
 public:
  explicit ResponseReader(const HeadLimits& limits = HeadLimits()) : scan_(limits) {}

  // As above. Refused with 502.
  Step read(std::string_view received);
  void restart();

  const ResponseHead& head() const { return head_; }
  size_t length() const { return scan_.length(); }
  Refusal refusal() const { return refusal_; }

 private:
  HeadScan scan_;
  ResponseHead head_;
  Refusal refusal_;
};

// Field lines (RFC 9112 section 5), each with its CRLF and nothing behind the last, added to
// `fields`. For heads and for the trailers of chunked bodies. Refused with 400 or 431.
Refusal parse_field_lines(std::string_view lines, size_t fields_max, Fields& fields);

}  // namespace postern::http
