// SPDX-License-Identifier: BSD-3-Clause
// Step and Refusal: how far the reading of a message has come, and why no further. A peer that
// sends nonsense is a state and not an error: it gets a status and loses its connection.
#pragma once

#include <cstdint>
#include <string_view>

namespace postern::http {

enum class Step : uint8_t {
  more,     // sound so far, not whole yet
  done,     // whole
  refused,  // no octet of this connection can be trusted any more: answer, then close
};

struct Refusal {
  uint16_t status = 0;      // for the client: 4xx or 501 or 505 for requests, 502 for responses
  std::string_view reason;  // a word for the log and the counter; of static storage

  explicit operator bool() const { return status != 0; }
};

}  // namespace postern::http
