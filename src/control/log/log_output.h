// SPDX-License-Identifier: BSD-3-Clause
// LogOutput: the way of one log's lines to where they are kept: STATE_DIR/log/NAME.log (rotated,
// 0640), standard error, and whatever the relay does with them.
//
//   line -> LogWriter: file, console           a thread of its own (log_writer.h)
//        -> LogRelay: window, journal, syslog  never waits (log_hub.h)
//
// Thread: any. Never throws: what cannot be written is counted, and told where it is missing. Only
// the security log waits, and no longer than LogWriter::kPatience, for its own queue: until then
// the rings of the workers have room.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/config/model.h"
#include "control/log/log_writer.h"

namespace postern {

// Nearly as in RFC 5424 section 6.2.1.
enum class Severity : uint8_t { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

// One line, not ended; views of the writer's memory.
struct LogEntry {
  config::LogName log = config::LogName::error;
  Severity severity = Severity::info;
  int64_t wall_ns = 0;
  std::string_view line;
};

class LogRelay {
 public:
  virtual ~LogRelay() = default;
  // Copies what it keeps and does not wait. Thread: any.
  virtual void take(const LogEntry& entry, bool to_journal) = 0;
};

class LogOutput {
 public:
  explicit LogOutput(config::LogName name) : name_(name) {}
  ~LogOutput();
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;

  struct Place {
    std::string state_dir;
    std::string host;  // in the lines that tell of lost ones
  };
  // Where lines go from now on. An error (a file that cannot be opened) leaves it as it was.
  Result<void> configure(const config::LogFile& settings, const Place& place);
  // As long as no configure() has worked.
  void use_console();
  // `relay` outlives the output, or nullptr is set before it goes.
  void set_relay(LogRelay* relay);

  // With now() as its time where `wall_ns` is 0.
  void write(Severity severity, std::string_view line, int64_t wall_ns = 0);
  // Until the lines so far are in the file, LogWriter::kPatience at the longest.
  void settle() { writer_.settle(); }
  config::LogName name() const { return name_; }
  uint64_t unwritten() const { return writer_.unwritten(); }
  bool is_failing() const { return writer_.is_failing(); }

 private:
  const config::LogName name_;
  LogWriter writer_;
  std::mutex mutex_;  // of all below
  LogRelay* relay_ = nullptr;
  bool to_journal_ = false;
};

// STATE_DIR/log/NAME with the size and the number of the settings.
std::unique_ptr<RotatedFile> log_file(const config::LogFile& settings, const std::string& state_dir,
                                      const std::string& name);

}  // namespace postern
