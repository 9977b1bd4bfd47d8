// SPDX-License-Identifier: BSD-3-Clause
// The head of an HTTP request for metrics -> what is to be answered. No socket here.
//
// RFC 9112 and 9110. Strict where readings of one head may differ: lines end in CRLF and are not
// folded, there is one Host, and a request has no body. Thread: any, no state. Bound: kHeadMax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "control/metrics/exposition.h"

namespace postern::metrics {

constexpr size_t kHeadMax = 8192;  // bytes, the empty line included

enum class Status : uint16_t {
  ok = 200,
  bad_request = 400,
  not_found = 404,
  not_allowed = 405,
  head_too_large = 431,
};

struct Request {
  Status status = Status::bad_request;
  bool wants_body = true;   // not HEAD
  bool keeps_open = false;  // a further request may follow on the connection
  Format format = Format::text;
};

// `head` ends with its empty line. Whatever it is, there is an answer.
Request read_request(std::string_view head);

// By the field Accept: OpenMetrics 1.0 where it is asked for at least as much as other text.
Format choose_format(std::string_view accept);

// The head of the response; `body_bytes` of body follow it unless the request was HEAD.
std::string response_head(const Request& request, size_t body_bytes);
// What is told of a request that is not for the metrics.
std::string_view explanation(Status status);

}  // namespace postern::metrics
