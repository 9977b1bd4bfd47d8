// SPDX-License-Identifier: BSD-3-Clause
// The line of the HTTP log (F65): the combined log format, which tools for web logs read, and
// fields behind it.
//
//   192.168.1.10 - alice [01/Mar/2026:09:00:00 +0100] "GET http://www.example.com/ HTTP/1.1" 200
//     5120 "http://www.example.com/start" "curl/7.88.1" cache=hit duration_ms=2
//
// The version is that of our answers; of a request it is not told. Long texts are cut (kUrlMax,
// kOtherMax), and what is no printable character is a question mark. Pure; thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/log/log_line.h"
#include "services/http/proxy/seams.h"

namespace postern {

std::string http_line(const http::LogRecord& record, int64_t wall_ns);

// The fields of such a line: time, source, user, method, url, status, bytes, referer, agent, and
// those behind them. False, and nothing added: it is none.
bool read_http_line(std::string_view line, std::vector<LogField>& fields);

}  // namespace postern
