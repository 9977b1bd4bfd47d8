// SPDX-License-Identifier: BSD-3-Clause
// HttpLog: a line for each request to the proxy (http_line.h); STATE_DIR/log/http.log. Thread:
// control. Bounds: those of LogOutput; what finds no room is counted and told.
#pragma once

#include <string>

#include "control/log/log_output.h"

namespace postern {

namespace http {
struct LogRecord;
}

class HttpLog {
 public:
  HttpLog() : output_(config::LogName::http) {}

  Result<void> configure(const config::LogFile& settings, const std::string& state_dir,
                         const std::string& host) {
    return output_.configure(settings, {state_dir, host});
  }
  LogOutput& output() { return output_; }
  void write(const http::LogRecord& record);

 private:
  LogOutput output_;
};

}  // namespace postern
