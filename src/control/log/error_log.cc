// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/error_log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace postern {
namespace {

constexpr const char* kPattern = "%Y-%m-%d %H:%M:%S.%e%z %l %v";
constexpr size_t kPrintableMax = 1024;
constexpr mode_t kFileMode = 0640;  // F66: readable by administrators only
constexpr mode_t kDirectoryMode = 0750;

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

std::unique_ptr<spdlog::logger> make_logger(std::vector<spdlog::sink_ptr> sinks,
                                            config::LogLevel level) {
  auto logger = std::make_unique<spdlog::logger>("posternd", sinks.begin(), sinks.end());
  logger->set_pattern(kPattern);
  logger->set_level(level_of(level));
  logger->flush_on(spdlog::level::debug);
  return logger;
}

spdlog::sink_ptr console() {
  return std::make_shared<spdlog::sinks::stderr_sink_mt>();
}

}  // namespace

ErrorLog::ErrorLog() : logger_(make_logger({console()}, config::LogLevel::info)) {}
ErrorLog::~ErrorLog() = default;

Result<void> ErrorLog::configure(const config::LogFile& settings, config::LogLevel level,
                                 const std::string& state_dir) {
  std::vector<spdlog::sink_ptr> sinks;
  Result<void> outcome;
  if (settings.file) {
    auto file = open_log_file(settings, state_dir, "error.log");
    if (file) {
      sinks.push_back(*file);
    } else {
      outcome = std::move(file).error();
    }
  }
  if (settings.console || sinks.empty()) sinks.push_back(console());
  auto fresh = make_logger(std::move(sinks), level);
  std::lock_guard lock(mutex_);
  logger_ = std::move(fresh);
  return outcome;
}

void ErrorLog::write(config::LogLevel level, std::string_view line) {
  std::lock_guard lock(mutex_);
  logger_->log(level_of(level), printable(line));
}

Result<std::shared_ptr<spdlog::sinks::sink>> open_log_file(const config::LogFile& settings,
                                                           const std::string& state_dir,
                                                           const std::string& name) {
  std::string directory = state_dir + "/log";
  if (mkdir(directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return Error{ErrorCode::failed, directory + ": " + std::strerror(errno)};
  }
  spdlog::file_event_handlers handlers;
  handlers.after_open = [](const spdlog::filename_t&, std::FILE* file) {
    fchmod(fileno(file), kFileMode);
  };
  try {
    return std::shared_ptr<spdlog::sinks::sink>(
        std::make_shared<spdlog::sinks::rotating_file_sink_mt>(directory + "/" + name,
                                                               size_t{settings.max_mib} << 20,
                                                               settings.keep, false, handlers));
  } catch (const spdlog::spdlog_ex& error) {
    return Error{ErrorCode::failed, error.what()};
  }
}

std::string printable(std::string_view text) {
  std::string line(text.substr(0, kPrintableMax));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return line;
}

}  // namespace postern
