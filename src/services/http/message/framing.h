// SPDX-License-Identifier: BSD-3-Clause
// Where the body of a message ends (RFC 9112 section 6.3), whether its connection may be used again
// (section 9.3), and which host a request is for (RFC 9110 section 7.2).
//
// This is the guard against request smuggling: whatever two programs on the way may read in two
// ways is refused, also where the RFC would let us mend it. A message that we have refused is
// neither passed on nor kept, and its connection ends.
//
// Bounds: one pass over the fields. Thread: any; nothing is shared.
#pragma once

#include <cstdint>
#include <string_view>

#include "services/http/message/head.h"
#include "services/http/message/outcome.h"
#include "services/http/message/url.h"

namespace postern::http {

enum class Body : uint8_t {
  none,         // no octet
  length,       // as many octets as `length`; 0 is possible
  chunked,      // ChunkedDecoder finds the end
  until_close,  // responses only: until the server closes; a reset or a time-out is no end
};

struct Framing {
  Body body = Body::none;
  uint64_t length = 0;  // of Body::length, at most 2^63-1
  // The sender can take or send another message on this connection once this one is whole.
  bool is_persistent = false;
};

struct RequestFraming : Framing {
  // The host that is asked: that of the target where it names one, for then the field Host is only
  // checked and must be replaced by it (RFC 9112 section 3.2.2), else that of the field Host.
  // An HTTP/1.0 request in origin form may have neither: `host.host` is empty.
  Authority host;
};

// Refused with 400 or 501 (a transfer coding before chunked).
Refusal frame_request(const RequestHead& head, const Target& target, RequestFraming& framing);

// `method`: of the request that this answers. Refused with 502; an interim response with a body and
// 101 are, too: who has asked for an upgrade looks for that before. One transfer coding that is no
// coding ("identity") is passed over, and the connection ends with the body.
Refusal frame_response(const ResponseHead& head, std::string_view method, Framing& framing);

// 1*DIGIT as of Content-Length: no sign, no space, no list; at most 2^63-1. False: it is not that.
bool parse_length(std::string_view text, uint64_t& length);

}  // namespace postern::http
