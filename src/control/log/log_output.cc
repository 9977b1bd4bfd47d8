// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/log_output.h"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "control/log/log_line.h"

namespace postern {
namespace {

constexpr mode_t kFileMode = 0640;  // F66: readable by administrators only
constexpr mode_t kDirectoryMode = 0750;

}  // namespace

const char* to_word(config::LogName log) {
  static constexpr const char* kWords[] = {"security", "error", "audit", "dial", "debug", "alert"};
  static_assert(std::size(kWords) == config::kLogs);
  return kWords[static_cast<size_t>(log)];
}

Result<std::shared_ptr<spdlog::sinks::sink>> open_log_file(const config::LogFile& settings,
                                                           const std::string& state_dir,
                                                           const std::string& name) {
  const std::string directory = state_dir + "/log";
  if (mkdir(directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return Error{ErrorCode::failed, directory + ": " + std::strerror(errno)};
  }
  spdlog::file_event_handlers handlers;
  handlers.after_open = [](const spdlog::filename_t&, std::FILE* file) {
    fchmod(fileno(file), kFileMode);
  };
  try {
    return spdlog::sink_ptr(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
        directory + "/" + name, size_t{settings.max_mib} << 20, settings.keep, false, handlers));
  } catch (const spdlog::spdlog_ex& error) {
    return Error{ErrorCode::failed, error.what()};
  }
}

LogOutput::~LogOutput() = default;

Result<void> LogOutput::configure(const config::LogFile& settings, const std::string& state_dir) {
  std::vector<spdlog::sink_ptr> sinks;
  if (settings.file) {
    auto file = open_log_file(settings, state_dir, std::string(to_word(name_)) + ".log");
    if (!file) return std::move(file).error();
    sinks.push_back(*file);
  }
  if (settings.console) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  for (const auto& sink : sinks)
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  std::lock_guard lock(mutex_);
  sinks_ = std::move(sinks);
  to_journal_ = settings.journal;
  return {};
}

void LogOutput::use_console() {
  auto console = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  console->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  std::lock_guard lock(mutex_);
  sinks_ = {std::move(console)};
}

void LogOutput::set_relay(LogRelay* relay) {
  std::lock_guard lock(mutex_);
  relay_ = relay;
}

// The sinks throw when the disk is full: the line is gone there and counted, all else goes on.
void LogOutput::write(Severity severity, std::string_view line, int64_t wall_ns) {
  const spdlog::details::log_msg message(spdlog::string_view_t(), spdlog::level::info,
                                         spdlog::string_view_t(line.data(), line.size()));
  std::lock_guard lock(mutex_);
  for (const auto& sink : sinks_) {
    try {
      sink->log(message);
    } catch (const std::exception&) {
      unwritten_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (relay_ == nullptr) return;
  relay_->take({name_, severity, wall_ns != 0 ? wall_ns : wall_now_ns(), line}, to_journal_);
}

void LogOutput::flush() {
  std::lock_guard lock(mutex_);
  for (const auto& sink : sinks_) {
    try {
      sink->flush();
    } catch (const std::exception&) {
      continue;
    }
  }
}

}  // namespace postern
