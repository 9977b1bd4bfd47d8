// SPDX-License-Identifier: BSD-3-Clause
// What of a message ends at the next program on the way (RFC 9110 section 7.6): the fields that are
// not passed on, Via, Max-Forwards, and Expect (section 10.1.1).
//
// Bounds: one pass over the fields, kConnectionMax members of Connection. Thread: any; nothing is
// shared.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "services/http/message/fields.h"
#include "services/http/message/outcome.h"

namespace postern::http {

constexpr size_t kConnectionMax = 32;

// Whether a field of that name is never passed on, listed in Connection or not.
bool is_hop_by_hop(std::string_view name);

// What the field Connection says, and what is passed on because of it. Views into the fields.
class Connection {
 public:
  explicit Connection(const Fields& fields);

  bool has_close() const { return has_close_; }
  bool has_keep_alive() const { return has_keep_alive_; }
  // There are more than kConnectionMax members, or one that is no token: to be refused, with 400 or
  // 502, for we do not know what to leave out. frame_request() and frame_response() do.
  bool is_broken() const { return is_broken_; }

  // Whether a field of that name goes on to the next program. Host and Content-Length do even where
  // Connection lists them: without them the next one would read another message than we did.
  bool passes(std::string_view name) const;

 private:
  std::array<std::string_view, kConnectionMax> listed_;
  size_t size_ = 0;
  bool has_close_ = false;
  bool has_keep_alive_ = false;
  bool is_broken_ = false;
};

// Appends the line "Via: 1.1 NAME" (RFC 9110 section 7.6.3); `minor` is that of the message as it
// came. Those that were there are passed on before it.
void append_via(std::string& out, uint8_t minor, std::string_view name);
// Whether the message has been here: it goes round in circles.
bool has_via(const Fields& fields, std::string_view name);

struct MaxForwards {
  enum class Kind : uint8_t {
    absent,       // or of a method to which it means nothing: passed on as it is
    answer_here,  // it is 0: we are the one who is asked
    pass_on,      // with the value `rest`
    broken,       // 400
  };
  Kind kind = Kind::absent;
  uint32_t rest = 0;
};

// RFC 9110 section 7.6.2: of TRACE and OPTIONS.
MaxForwards max_forwards(std::string_view method, const Fields& fields);

enum class Expectation : uint8_t {
  none,
  go_on,    // 100-continue: the body comes once we, or the server, say so
  unknown,  // to be answered with 417
};

// Of an HTTP/1.0 request 100-continue counts for nothing.
Expectation expectation(uint8_t minor, const Fields& fields);

}  // namespace postern::http
