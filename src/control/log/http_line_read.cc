// SPDX-License-Identifier: BSD-3-Clause
// read_http_line() of http_line.h, by itself for the fuzz target of the forms of lines.
#include <fmt/format.h>

#include <ctime>
#include <optional>

#include "control/log/http_line.h"

namespace postern {
namespace {

// Takes a line to pieces from its front.
class Reader {
 public:
  explicit Reader(std::string_view line) : rest_(line) {}

  // Up to `end`, which is passed over.
  std::optional<std::string> until(std::string_view end) {
    const size_t at = rest_.find(end);
    if (at == std::string_view::npos) return std::nullopt;
    std::string part(rest_.substr(0, at));
    rest_.remove_prefix(at + end.size());
    return part;
  }

  // What stands in quotes, and the space behind it.
  std::optional<std::string> quoted() {
    if (rest_.empty() || rest_[0] != '"') return std::nullopt;
    std::string text;
    size_t i = 1;
    for (; i < rest_.size() && rest_[i] != '"'; ++i) {
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      text += rest_[i];
    }
    if (i == rest_.size()) return std::nullopt;
    rest_.remove_prefix(i + 1);
    if (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
    return text;
  }

  std::string_view& rest() { return rest_; }

 private:
  std::string_view rest_;
};

// "2026-03-01T09:00:00.000+0100" of "01/Mar/2026:09:00:00 +0100".
std::optional<std::string> usual_time(const std::string& text) {
  std::tm parts = {};
  const char* rest = strptime(text.c_str(), "%d/%b/%Y:%H:%M:%S ", &parts);
  if (rest == nullptr) return std::nullopt;
  return fmt::format("{}-{:02}-{:02}T{:02}:{:02}:{:02}.000{}", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     rest);
}

}  // namespace

bool read_http_line(std::string_view line, std::vector<LogField>& fields) {
  Reader reader(line);
  const auto source = reader.until(" - ");
  const auto user = source ? reader.until(" [") : std::nullopt;
  const auto stamp = user ? reader.until("] ") : std::nullopt;
  const auto time = stamp ? usual_time(*stamp) : std::nullopt;
  const auto request = time ? reader.quoted() : std::nullopt;
  if (!request || !parse_ipv4(*source)) return false;
  const size_t first = request->find(' '), last = request->rfind(' ');
  const auto status = reader.until(" "), bytes = reader.until(" ");
  const auto referer = reader.quoted(), agent = reader.quoted();
  if (first == std::string::npos || first == last || !status || !bytes || !agent || !referer)
    return false;
  auto add = [&fields](std::string_view key, const std::string& value) {
    if (value != "-") fields.push_back({key, value});
  };
  add("time", *time);
  add("source", *source);
  add("user", *user);
  add("method", request->substr(0, first));
  add("url", request->substr(first + 1, last - first - 1));
  add("status", *status);
  add("bytes", *bytes);
  add("referer", *referer);
  add("agent", *agent);
  LogField field;
  while (fields.size() < kFieldsMax && take_log_field(reader.rest(), field.key, field.value))
    fields.push_back(field);
  return true;
}

}  // namespace postern
