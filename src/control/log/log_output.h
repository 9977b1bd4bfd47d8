// SPDX-License-Identifier: BSD-3-Clause
// LogOutput: the way of one log's lines to where they are kept: STATE_DIR/log/NAME.log (rotated,
// 0640), standard error, and whatever the relay does with them.
//
//   line -> file, console                 at once, in the thread that writes
//        -> LogRelay: window, journal, syslog   never waits (log_relay.h)
//
// Thread: any; a mutex guards the sinks. Never throws: what a sink cannot write is counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/config/model.h"

namespace spdlog::sinks {
class sink;
}

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

  // Where lines go from now on. An error (a file that cannot be opened) leaves it as it was.
  Result<void> configure(const config::LogFile& settings, const std::string& state_dir);
  // As long as no configure() has worked.
  void use_console();
  // `relay` outlives the output, or nullptr is set before it goes.
  void set_relay(LogRelay* relay);

  // With now() as its time where `wall_ns` is 0.
  void write(Severity severity, std::string_view line, int64_t wall_ns = 0);
  void flush();
  uint64_t unwritten() const { return unwritten_.load(std::memory_order_relaxed); }

 private:
  const config::LogName name_;
  std::atomic<uint64_t> unwritten_{0};
  std::mutex mutex_;  // of all below
  std::vector<std::shared_ptr<spdlog::sinks::sink>> sinks_;
  LogRelay* relay_ = nullptr;
  bool to_journal_ = false;
};

// "security"; as in the configuration, in the name of the file and on the command line.
const char* to_word(config::LogName log);

// A sink to STATE_DIR/log/NAME that rotates by the settings. The directory is made.
Result<std::shared_ptr<spdlog::sinks::sink>> open_log_file(const config::LogFile& settings,
                                                           const std::string& state_dir,
                                                           const std::string& name);

}  // namespace postern
