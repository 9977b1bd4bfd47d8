// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/error_log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <chrono>
#include <mutex>
#include <utility>

#include "base/plain_text.h"
#include "control/log/log_line.h"

namespace postern {
namespace {

constexpr size_t kPrintableMax = 1024;
constexpr const char* kPattern = "%Y-%m-%d %H:%M:%S.%e%z %l %v";

spdlog::level::level_enum level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug:
      return spdlog::level::debug;
    case config::LogLevel::info:
      return spdlog::level::info;
    case config::LogLevel::warning:
      return spdlog::level::warn;
    case config::LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

Severity severity_of(spdlog::level::level_enum level) {
  if (level >= spdlog::level::err) return Severity::error;
  if (level == spdlog::level::warn) return Severity::warning;
  return level == spdlog::level::info ? Severity::info : Severity::debug;
}

// Formats; that lines wait for no disk, and are counted where they are lost, is LogOutput's part.
class OutputSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit OutputSink(LogOutput& output) : output_(output) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const auto since = message.time.time_since_epoch();
    output_.write(severity_of(message.level), {line.data(), line.size()},
                  std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
  }
  void flush_() override { output_.settle(); }

  LogOutput& output_;
};

}  // namespace

ErrorLog::ErrorLog() : output_(config::LogName::error) {
  auto sink = std::make_shared<OutputSink>(output_);
  sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      kPattern, spdlog::pattern_time_type::local, ""));  // lines come without an end
  logger_ = std::make_unique<spdlog::logger>("posternd", std::move(sink));
  output_.use_console();
}

ErrorLog::~ErrorLog() = default;

Result<void> ErrorLog::configure(const config::LogFile& settings, config::LogLevel level,
                                 const std::string& state_dir) {
  logger_->set_level(level_of(level));
  config::LogFile sinks = settings;
  sinks.console = sinks.console || (!sinks.file && !sinks.journal);
  const LogOutput::Place place{state_dir, ""};
  Result<void> outcome = output_.configure(sinks, place);
  if (outcome) return outcome;
  sinks.file = false;
  sinks.console = true;
  output_.configure(sinks, place).has_value();
  return outcome;
}

void ErrorLog::write(config::LogLevel level, std::string_view line) {
  const spdlog::level::level_enum wanted = level_of(level);
  if (logger_->should_log(wanted)) logger_->log(wanted, "{}", printable(line));
}

std::string printable(std::string_view text) {
  return plain_text(text.substr(0, kPrintableMax));
}

}  // namespace postern
