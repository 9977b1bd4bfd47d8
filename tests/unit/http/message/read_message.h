// SPDX-License-Identifier: BSD-3-Clause
// A whole request or response text to what the codec says of it: head, target and framing together,
// as the proxy takes them.
#pragma once

#include <string>
#include <string_view>

#include "services/http/message/framing.h"

namespace postern::http {

struct Read {
  Step step = Step::more;
  Refusal refusal;
  RequestFraming framing;
  size_t length = 0;

  // "more", "ok" or "400 word".
  std::string verdict() const {
    if (step == Step::more) return "more";
    if (step == Step::done) return "ok";
    return std::to_string(refusal.status) + " " + std::string(refusal.reason);
  }
  void refuse(const Refusal& why) {
    if (!why) return;
    step = Step::refused;
    refusal = why;
  }
};

inline Read finish(const RequestReader& reader, Step step) {
  Read read;
  read.step = step;
  read.refusal = reader.refusal();
  if (step != Step::done) return read;
  read.length = reader.length();
  Target target;
  const RequestHead& head = reader.head();
  read.refuse(parse_target(head.method, head.target, target));
  if (read.step == Step::done) read.refuse(frame_request(head, target, read.framing));
  return read;
}

inline Read read_request(std::string_view text, const HeadLimits& limits = HeadLimits()) {
  RequestReader reader(limits);
  const Step step = reader.read(text);
  return finish(reader, step);
}

// Octet by octet, each time from memory of that size alone, so that a sanitizer sees every octet
// that is read beyond what has come.
inline Read read_request_slowly(std::string_view text, const HeadLimits& limits = HeadLimits()) {
  RequestReader reader(limits);
  std::string received;
  Step step = Step::more;
  for (size_t size = 1; size <= text.size() && step == Step::more; ++size) {
    received = std::string(text.data(), size);
    step = reader.read(received);
  }
  return finish(reader, step);
}

inline Read read_response(std::string_view text, std::string_view method = "GET") {
  ResponseReader reader;
  Read read;
  read.step = reader.read(text);
  read.refusal = reader.refusal();
  if (read.step != Step::done) return read;
  read.length = reader.length();
  read.refuse(frame_response(reader.head(), method, read.framing));
  return read;
}

}  // namespace postern::http
