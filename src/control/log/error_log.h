// SPDX-License-Identifier: BSD-3-Clause
// ErrorLog: what posternd itself has to say, one line each, to standard error and to
// STATE_DIR/log/error.log. Before configure() it writes to standard error alone.
//
//   2026-03-01 09:00:00.123+01:00 warning wan: link down
//
// Thread: any. Never throws, and waits for nothing: what cannot be written is counted. Files are
// readable by their owner and group only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/config/model.h"
#include "control/log/log_output.h"

namespace spdlog {
class logger;
}

namespace postern {

class ErrorLog {
 public:
  ErrorLog();
  ~ErrorLog();
  ErrorLog(const ErrorLog&) = delete;
  ErrorLog& operator=(const ErrorLog&) = delete;

  // New settings; an error (a file that cannot be written) leaves the console on.
  Result<void> configure(const config::LogFile& settings, config::LogLevel level,
                         const std::string& state_dir);
  LogOutput& output() { return output_; }
  void debug(std::string_view line) { write(config::LogLevel::debug, line); }
  void info(std::string_view line) { write(config::LogLevel::info, line); }
  void warning(std::string_view line) { write(config::LogLevel::warning, line); }
  void error(std::string_view line) { write(config::LogLevel::error, line); }
  void write(config::LogLevel level, std::string_view line);

 private:
  LogOutput output_;
  std::unique_ptr<spdlog::logger> logger_;  // level, time and form; what it writes goes to output_
};

// Text from outside, fit for one line: control characters become '?' (base/plain_text.h), length is
// cut at 1024 bytes.
std::string printable(std::string_view text);

}  // namespace postern
