// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any octets as a request to the proxy. Read in one piece or in many they come to the
// same; what is read lies within what was received, has no octet that ends a line, and written
// again it is read as the same request.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "services/http/message/framing.h"
#include "services/http/message/hop.h"
#include "services/http/message/writer.h"

namespace http = postern::http;

namespace {

void demand_within(std::string_view part, std::string_view whole) {
  if (part.data() == nullptr) return;
  POSTERN_ASSERT(part.data() >= whole.data());
  POSTERN_ASSERT(part.data() + part.size() <= whole.data() + whole.size());
  POSTERN_ASSERT(part.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
}

void demand_sound(const http::RequestHead& head, std::string_view text) {
  POSTERN_ASSERT(head.minor <= 1);
  demand_within(head.method, text);
  demand_within(head.target, text);
  for (const http::Field& field : head.fields) {
    POSTERN_ASSERT(!field.name.empty());
    demand_within(field.name, text);
    demand_within(field.value, text);
  }
}

http::Refusal frame(const http::RequestHead& head, http::RequestFraming& framing) {
  http::Target target;
  if (const http::Refusal refusal = http::parse_target(head.method, head.target, target)) {
    return refusal;
  }
  return http::frame_request(head, target, framing);
}

void write_again(const http::RequestHead& head, const http::RequestFraming& framing) {
  std::string out;
  http::HeadWriter writer(out);
  writer.request_line(head.method, head.target);
  for (const http::Field& field : head.fields)
    writer.field(field);
  writer.end();
  // White space around values was left out, one space and a minor version may have come in.
  http::HeadLimits limits;
  limits.line += 8;
  limits.head *= 2;
  http::RequestReader reader(limits);
  POSTERN_ASSERT(reader.read(out) == http::Step::done);
  POSTERN_ASSERT(reader.length() == out.size());
  POSTERN_ASSERT(reader.head().fields.size() == head.fields.size());
  http::RequestFraming again;
  // What is sound for HTTP/1.0 may lack a Host for 1.1.
  if (frame(reader.head(), again)) {
    POSTERN_ASSERT(head.minor == 0);
    return;
  }
  POSTERN_ASSERT(again.body == framing.body);
  POSTERN_ASSERT(again.length == framing.length);
  POSTERN_ASSERT(again.host.host == framing.host.host);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  http::RequestReader whole;
  http::RequestReader pieces;
  const http::Step step = whole.read(text);
  http::Step other = http::Step::more;
  for (size_t end = 0; end < size && other == http::Step::more;) {
    end = end + 1 + end % 7 < size ? end + 1 + end % 7 : size;
    // Each time somewhere else.
    const std::string received = text.substr(0, end);
    other = pieces.read(received);
  }
  POSTERN_ASSERT(step == other);
  POSTERN_ASSERT(whole.refusal().status == pieces.refusal().status);
  POSTERN_ASSERT(whole.refusal().reason == pieces.refusal().reason);
  if (step != http::Step::done) return 0;
  POSTERN_ASSERT(whole.length() == pieces.length());
  POSTERN_ASSERT(whole.length() <= size);
  demand_sound(whole.head(), text);
  const http::RequestHead& head = whole.head();
  const http::Connection connection(head.fields);
  for (const http::Field& field : head.fields)
    connection.passes(field.name);
  http::max_forwards(head.method, head.fields);
  http::expectation(head.minor, head.fields);
  http::has_via(head.fields, "postern");
  http::RequestFraming framing;
  if (!frame(head, framing)) write_again(head, framing);
  return 0;
}
