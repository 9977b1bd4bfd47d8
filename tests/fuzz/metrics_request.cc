// SPDX-License-Identifier: BSD-3-Clause
// Heads of HTTP requests for the metrics: each has an answer, and what is answered with the metrics
// is whole, unambiguous and without a body.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "control/metrics/request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace postern::metrics;
  const std::string head(reinterpret_cast<const char*>(data), size);
  choose_format(head);
  const Request request = read_request(head);
  const std::string answer = response_head(request, 7);
  POSTERN_ASSERT(answer.starts_with("HTTP/1.1 ") && answer.ends_with("\r\n\r\n"));
  if (request.status != Status::ok) return 0;
  POSTERN_ASSERT(head.size() <= kHeadMax);
  POSTERN_ASSERT(head.find("\r\n\r\n") == head.size() - 4);
  POSTERN_ASSERT(head.find("/metrics") != std::string::npos);
  return 0;
}
