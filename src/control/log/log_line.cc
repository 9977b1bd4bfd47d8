// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/log_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "base/plain_text.h"
#include "control/log/http_line.h"

namespace postern {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_bare(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u > 0x20 && u < 0x7F && c != '"' && c != '\\' && c != '=';
}

void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  for (char c : plain_text(value.substr(0, kValueMax))) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

// "2026-03-01 09:00:00.123+01:00 warning wan: link down", the form of the error log.
bool read_error_line(std::string_view line, std::vector<LogField>& fields) {
  constexpr size_t kTimeLength = 29;
  if (line.size() <= kTimeLength || line[4] != '-' || line[10] != ' ' || line[kTimeLength] != ' ') {
    return false;
  }
  const size_t level_end = line.find(' ', kTimeLength + 1);
  if (level_end == std::string_view::npos) return false;
  std::string time(line.substr(0, kTimeLength));
  time[10] = 'T';
  time.erase(26, 1);
  fields.push_back({"time", std::move(time)});
  fields.push_back(
      {"level", std::string(line.substr(kTimeLength + 1, level_end - kTimeLength - 1))});
  fields.push_back({"text", std::string(line.substr(level_end + 1))});
  return true;
}

}  // namespace

std::string log_time_text(int64_t wall_ns) {
  std::time_t at = wall_ns / kNsPerSecond;
  std::tm parts = {};
  localtime_r(&at, &parts);
  char text[32], offset[16];
  size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  size_t offset_length = std::strftime(offset, sizeof offset, "%z", &parts);
  return fmt::format("{}.{:03}{}", std::string_view(text, length),
                     wall_ns % kNsPerSecond / 1'000'000, std::string_view(offset, offset_length));
}

std::string error_time_text(int64_t wall_ns) {
  const std::string text = log_time_text(wall_ns);  // "...T...+0100"
  const std::string_view view = text;
  return fmt::format("{} {}:{}", view.substr(0, 10), view.substr(11, view.size() - 13),
                     view.substr(view.size() - 2));
}

int64_t wall_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

LineText::LineText(int64_t wall_ns, std::string_view host, std::string_view module) {
  line_ = fmt::format("time={} host={} module={}", log_time_text(wall_ns), host, module);
}

LineText& LineText::word(std::string_view key, std::string_view value) {
  if (value.empty()) value = "-";
  if (value.size() > kValueMax || !std::all_of(value.begin(), value.end(), is_bare)) {
    return text(key, value);
  }
  line_.append(" ").append(key).append("=").append(value);
  return *this;
}

LineText& LineText::text(std::string_view key, std::string_view value) {
  line_.append(" ").append(key).append("=");
  append_quoted(line_, value);
  return *this;
}

LineText& LineText::number(std::string_view key, uint64_t value) {
  line_ += fmt::format(" {}={}", key, value);
  return *this;
}

bool take_log_field(std::string_view& rest, std::string_view& key, std::string& value) {
  size_t end = 0;
  while (end < rest.size() && is_key_character(rest[end]))
    ++end;
  if (end == 0 || end == rest.size() || rest[end] != '=') return false;
  key = rest.substr(0, end);
  value.clear();
  size_t i = end + 1;
  if (i < rest.size() && rest[i] == '"') {
    for (++i; i < rest.size() && rest[i] != '"'; ++i) {
      if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
      value += rest[i];
    }
    if (i < rest.size()) ++i;
  } else {
    const size_t space = std::min(rest.find(' ', i), rest.size());
    value = rest.substr(i, space - i);
    i = space;
  }
  while (i < rest.size() && rest[i] == ' ')
    ++i;
  rest.remove_prefix(i);
  return true;
}

std::vector<LogField> read_log_line(std::string_view line) {
  line = line.substr(0, kLineMax);
  std::vector<LogField> fields;
  if (read_error_line(line, fields) || read_http_line(line, fields)) return fields;
  std::string_view rest = line;
  LogField field;
  while (fields.size() < kFieldsMax && take_log_field(rest, field.key, field.value))
    fields.push_back(field);
  if (fields.empty()) fields.push_back({"text", std::string(line)});
  return fields;
}

std::optional<std::string> find_log_field(std::string_view line, std::string_view key) {
  std::string_view rest = line.substr(0, kLineMax), name;
  std::string value;
  for (size_t i = 0; i < kFieldsMax && take_log_field(rest, name, value); ++i) {
    if (name == key) return value;
  }
  return std::nullopt;
}

}  // namespace postern
