// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/log_output.h"

#include <fmt/format.h>

#include <utility>

#include "control/log/log_line.h"

namespace postern {
namespace {

std::function<std::string(uint64_t)> lost_line(config::LogName log, const std::string& host) {
  return [log, host](uint64_t lines) -> std::string {
    const int64_t now = wall_now_ns();
    const std::string text = fmt::format("{} lines could not be written", lines);
    if (log == config::LogName::error) return error_time_text(now) + " warning log: " + text;
    return LineText(now, host, "log")
        .word("action", "lost")
        .number("records", lines)
        .text("text", text)
        .line();
  };
}

}  // namespace

std::unique_ptr<RotatedFile> log_file(const config::LogFile& settings, const std::string& state_dir,
                                      const std::string& name) {
  RotatedFile::Settings file;
  file.path = state_dir + "/log/" + name;
  file.bytes_max = uint64_t{settings.max_mib} << 20;
  file.keep = settings.keep;
  return std::make_unique<RotatedFile>(std::move(file));
}

LogOutput::~LogOutput() = default;

Result<void> LogOutput::configure(const config::LogFile& settings, const Place& place) {
  LogWriter::Targets targets;
  if (settings.file) {
    targets.file = log_file(settings, place.state_dir, std::string(to_word(name_)) + ".log");
    if (auto done = targets.file->check(); !done) return done;
  }
  targets.console = settings.console;
  targets.lost_line = lost_line(name_, place.host);
  std::lock_guard lock(mutex_);
  writer_.use(std::move(targets));
  to_journal_ = settings.journal;
  return {};
}

void LogOutput::use_console() {
  LogWriter::Targets targets;
  targets.console = true;
  targets.lost_line = lost_line(name_, "postern");
  writer_.use(std::move(targets));
}

void LogOutput::set_relay(LogRelay* relay) {
  std::lock_guard lock(mutex_);
  relay_ = relay;
}

void LogOutput::write(Severity severity, std::string_view line, int64_t wall_ns) {
  if (name_ == config::LogName::security) writer_.wait_for_room();
  std::lock_guard lock(mutex_);
  writer_.add(line);
  if (relay_ == nullptr) return;
  relay_->take({name_, severity, wall_ns != 0 ? wall_ns : wall_now_ns(), line}, to_journal_);
}

}  // namespace postern
