// SPDX-License-Identifier: BSD-3-Clause
// Upload: the body of a request on its way through: the framing of the client is read and written
// anew, so that both sides agree on where it ends (RFC 9112 section 7).
//
// Thread: control. Bounds: ProxyLimits::request_body_bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "services/http/message/chunked.h"
#include "services/http/message/framing.h"

namespace postern::http {

class Upload {
 public:
  enum class State : uint8_t { more, done, refused };

  void begin(const Framing& framing, uint64_t bytes_max);
  // Takes octets of the client; `taken` of them belong to the body. Appends what goes upstream.
  State take(std::string_view octets, size_t& taken, std::string& out);

  State state() const { return state_; }
  bool is_done() const { return state_ == State::done; }
  uint64_t bytes() const { return bytes_; }  // of the body
  bool is_too_large() const { return bytes_ > bytes_max_; }

 private:
  State take_chunks(std::string_view octets, size_t& taken, std::string& out);

  Framing framing_;
  ChunkedDecoder chunks_;
  uint64_t left_ = 0;
  uint64_t bytes_ = 0;
  uint64_t bytes_max_ = 0;
  State state_ = State::done;
};

}  // namespace postern::http
