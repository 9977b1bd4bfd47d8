// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/error_log.h"

#include <fmt/format.h>

#include "control/log/log_line.h"

namespace postern {
namespace {

constexpr size_t kPrintableMax = 1024;

struct LevelWords {
  const char* word;
  Severity severity;
};

LevelWords words_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug:
      return {"debug", Severity::debug};
    case config::LogLevel::info:
      return {"info", Severity::info};
    case config::LogLevel::warning:
      return {"warning", Severity::warning};
    case config::LogLevel::error:
      return {"error", Severity::error};
  }
  return {"info", Severity::info};
}

// "2026-03-01 09:00:00.123+01:00".
std::string error_time_text(int64_t wall_ns) {
  const std::string text = log_time_text(wall_ns);  // "...T...+0100"
  const std::string_view view = text;
  return fmt::format("{} {}:{}", view.substr(0, 10), view.substr(11, view.size() - 13),
                     view.substr(view.size() - 2));
}

}  // namespace

Result<void> ErrorLog::configure(const config::LogFile& settings, config::LogLevel level,
                                 const std::string& state_dir) {
  level_.store(level, std::memory_order_relaxed);
  config::LogFile sinks = settings;
  sinks.console = sinks.console || (!sinks.file && !sinks.journal);
  Result<void> outcome = output_.configure(sinks, state_dir);
  if (outcome) return outcome;
  sinks.file = false;
  sinks.console = true;
  output_.configure(sinks, state_dir).has_value();
  return outcome;
}

void ErrorLog::write(config::LogLevel level, std::string_view line) {
  if (level < level_.load(std::memory_order_relaxed)) return;
  const int64_t now = wall_now_ns();
  const LevelWords words = words_of(level);
  output_.write(words.severity,
                fmt::format("{} {} {}", error_time_text(now), words.word, printable(line)), now);
  output_.flush();
}

std::string printable(std::string_view text) {
  std::string line(text.substr(0, kPrintableMax));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return line;
}

}  // namespace postern
