// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/syslog_message.h"

#include <fmt/format.h>

#include <ctime>

#include "control/log/log_line.h"

namespace postern {
namespace {

// RFC 5612: the number of documentation and examples.
constexpr const char* kEnterprise = "32473";
constexpr size_t kParameterNameMax = 32;
constexpr int64_t kNsPerSecond = 1'000'000'000;

std::string utc_time(int64_t wall_ns) {
  std::time_t at = wall_ns / kNsPerSecond;
  std::tm parts = {};
  gmtime_r(&at, &parts);
  char text[32];
  size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:06}Z", std::string_view(text, length), wall_ns % kNsPerSecond / 1000);
}

// ` name="value"`, RFC5424 6.3.3: quotes, backslashes and closing brackets are escaped.
std::string parameter(const LogField& field) {
  std::string text = fmt::format(" {}=\"", field.key.substr(0, kParameterNameMax));
  for (char c : field.value) {
    if (c == '"' || c == '\\' || c == ']') text += '\\';
    text += c;
  }
  return text + '"';
}

bool is_in_header(std::string_view key) {
  return key == "time" || key == "host";
}

// The line behind "time=... host=... ", or all of a line of another form.
std::string_view without_header(std::string_view line) {
  for (std::string_view key : {"time=", "host="}) {
    if (line.substr(0, key.size()) != key) return line;
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) return line;
    line.remove_prefix(space + 1);
  }
  return line;
}

}  // namespace

std::string syslog_message(const LogEntry& entry, const SyslogOrigin& origin) {
  const unsigned priority = origin.facility * 8u + static_cast<unsigned>(entry.severity);
  std::string text =
      fmt::format("<{}>1 {} {} postern {} {} [{}@{}", priority, utc_time(entry.wall_ns),
                  origin.host.empty() ? "-" : origin.host, origin.process, to_word(entry.log),
                  to_word(entry.log), kEnterprise);
  const std::string_view message = without_header(entry.line);
  const size_t room = kSyslogMessageMax - std::min(message.size() + 2, kSyslogMessageMax / 2);
  for (const LogField& field : read_log_line(entry.line)) {
    if (is_in_header(field.key)) continue;
    const std::string next = parameter(field);
    if (text.size() + next.size() > room) break;
    text += next;
  }
  text += "] ";
  text += message.substr(0, kSyslogMessageMax - text.size());
  return text;
}

std::string syslog_frame(std::string_view message) {
  return fmt::format("{} {}", message.size(), message);
}

}  // namespace postern
