// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/http_log.h"

#include "control/log/http_line.h"

namespace postern {

void HttpLog::write(const http::LogRecord& record) {
  const int64_t now = wall_now_ns();
  output_.write(Severity::info, http_line(record, now), now);
}

}  // namespace postern
