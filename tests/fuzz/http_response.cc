// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any octets as the response of a server. Read in one piece or in many they come to
// the same; what is refused is refused with 502; a body has one end. Dates in it are read, and
// written again they are the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "services/http/message/date.h"
#include "services/http/message/framing.h"

namespace http = postern::http;

namespace {

void demand_bounds(const http::ResponseHead& head) {
  POSTERN_ASSERT(head.status >= 100 && head.status <= 999);
  POSTERN_ASSERT(head.minor <= 1);
  POSTERN_ASSERT(head.fields.size() <= http::kFieldsMax);
  for (const std::string_view method : {"GET", "HEAD", "CONNECT"}) {
    http::Framing framing;
    if (const http::Refusal refusal = http::frame_response(head, method, framing)) {
      POSTERN_ASSERT(refusal.status == 502);
      continue;
    }
    POSTERN_ASSERT(framing.length <= static_cast<uint64_t>(INT64_MAX));
    POSTERN_ASSERT(framing.length == 0 || framing.body == http::Body::length);
    POSTERN_ASSERT(!framing.is_persistent || framing.body != http::Body::until_close);
    POSTERN_ASSERT(method != "HEAD" || framing.body == http::Body::none);
  }
}

void demand_date(std::string_view text) {
  const auto time = http::parse_date(text, 1'800'000'000);
  if (!time) return;
  std::string out;
  http::append_date(out, *time);
  POSTERN_ASSERT(out.size() == 29);
  POSTERN_ASSERT(http::parse_date(out, 0) == *time);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  http::ResponseReader whole;
  http::ResponseReader pieces;
  const http::Step step = whole.read(text);
  http::Step other = http::Step::more;
  for (size_t end = 1; end <= size && other == http::Step::more; ++end)
    other = pieces.read(std::string_view(text).substr(0, end));
  POSTERN_ASSERT(step == other);
  POSTERN_ASSERT(whole.refusal().reason == pieces.refusal().reason);
  POSTERN_ASSERT(whole.refusal().status == (step == http::Step::refused ? 502 : 0));
  if (step != http::Step::done) return 0;
  POSTERN_ASSERT(whole.length() == pieces.length());
  demand_bounds(whole.head());
  for (const http::Field& field : whole.head().fields)
    demand_date(field.value);
  return 0;
}
