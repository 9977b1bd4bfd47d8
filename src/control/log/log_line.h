// SPDX-License-Identifier: BSD-3-Clause
// The one form of a log line, written and read again: fields "key=value" in a row.
//
//   time=2026-03-01T09:00:00.123+0100 host=gw1 module=audit who="alice" action=apply ...
//
// A value stands bare or in double quotes, with \" and \\ inside. Keys are [a-z0-9_]. Lines of the
// error log (error_log.h) and of the HTTP log (http_line.h) have forms of their own, which
// read_log_line() knows as well.
//
// Thread: any. Bounds: kLineMax bytes and kFieldsMax fields are read; the rest is left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

constexpr size_t kLineMax = 4096;  // bytes
constexpr size_t kFieldsMax = 64;
constexpr size_t kValueMax = 1024;  // bytes of one value that is written

// "2026-03-01T09:00:00.123+0100", local.
std::string log_time_text(int64_t wall_ns);
// "2026-03-01 09:00:00.123+01:00", local: as in the error log.
std::string error_time_text(int64_t wall_ns);
// Nanoseconds since 1970, of the wall clock.
int64_t wall_now_ns();

class LineText {
 public:
  LineText(int64_t wall_ns, std::string_view host, std::string_view module);

  // In quotes unless it is a bare word; "-" for nothing.
  LineText& word(std::string_view key, std::string_view value);
  // Always in quotes.
  LineText& text(std::string_view key, std::string_view value);
  LineText& number(std::string_view key, uint64_t value);
  const std::string& line() const { return line_; }

 private:
  std::string line_;
};

struct LogField {
  std::string_view key;
  std::string value;  // without quotes
  bool operator==(const LogField&) const = default;
};

// One field "key=value" off the front of `rest`, and the space behind it; false where it does not
// begin with one.
bool take_log_field(std::string_view& rest, std::string_view& key, std::string& value);
// The fields of a line, in order; of what has neither form, one field "text". Views of `line`.
std::vector<LogField> read_log_line(std::string_view line);
// The value of the first field `key`, without reading the others into memory.
std::optional<std::string> find_log_field(std::string_view line, std::string_view key);

}  // namespace postern
