// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/http_line.h"

#include <fmt/format.h>

#include <ctime>

#include "base/plain_text.h"

namespace postern {
namespace {

constexpr size_t kUrlMax = 2048, kOtherMax = 512;  // octets
constexpr int64_t kNsPerSecond = 1'000'000'000, kNsPerMs = 1'000'000;

void append_text(std::string& out, std::string_view text, size_t octets_max) {
  for (const char c : plain_text(text.substr(0, octets_max))) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

// In quotes; "-" for nothing.
void append_quoted(std::string& out, std::string_view text) {
  out += " \"";
  append_text(out, text.empty() ? "-" : text, kOtherMax);
  out += '"';
}

// A word without spaces, as names of users are.
std::string word_of(std::string_view text) {
  std::string word = plain_text(text.substr(0, kOtherMax));
  for (char& c : word) {
    if (c == ' ' || c == '"' || c == '[') c = '?';
  }
  return word.empty() ? "-" : word;
}

std::string time_text(int64_t wall_ns) {
  const std::time_t at = wall_ns / kNsPerSecond;
  std::tm parts = {};
  localtime_r(&at, &parts);
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char offset[8] = {};
  std::strftime(offset, sizeof offset, "%z", &parts);
  return fmt::format("{:02}/{}/{}:{:02}:{:02}:{:02} {}", parts.tm_mday, kMonths[parts.tm_mon],
                     parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec, offset);
}

}  // namespace

std::string http_line(const http::LogRecord& record, int64_t wall_ns) {
  std::string line = fmt::format("{} - {} [{}] \"", to_text(record.client.address),
                                 word_of(record.user), time_text(wall_ns));
  append_text(line, record.method.empty() ? "-" : record.method, kOtherMax);
  line += ' ';
  append_text(line, record.url.empty() ? "-" : record.url, kUrlMax);
  line += fmt::format(" HTTP/1.1\" {} {}", record.status, record.bytes);
  append_quoted(line, record.referer);
  append_quoted(line, record.agent);
  line += fmt::format(" cache={}", http::to_text(record.result));
  if (record.is_stored) line += " stored=yes";
  if (!record.upstream.is_unspecified()) {
    line += fmt::format(" upstream={} wait_ms={}", to_text(record.upstream),
                        record.upstream_wait.ns / kNsPerMs);
  }
  if (record.request_bytes > 0) line += fmt::format(" request_bytes={}", record.request_bytes);
  line += fmt::format(" duration_ms={}", record.total.ns / kNsPerMs);
  if (!record.is_complete) line += " complete=no";
  if (record.is_denied) line += " action=deny";
  if (!record.rule.empty()) line += " rule=" + word_of(record.rule);
  if (!record.detail.empty()) {
    line += " detail=";
    std::string quoted;
    append_quoted(quoted, record.detail);
    line += quoted.substr(1);
  }
  return line;
}

}  // namespace postern
