// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/log_line.h"

#include <catch2/catch.hpp>

#include "control/log/journal_writer.h"
#include "control/log/syslog_message.h"

using namespace postern;

namespace {

constexpr int64_t kAt = 1'772'355'600'123'456'789;  // 2026-03-01T09:00:00Z

std::string value(const std::vector<LogField>& fields, std::string_view key) {
  for (const LogField& field : fields) {
    if (field.key == key) return field.value;
  }
  return "(none)";
}

}  // namespace

TEST_CASE("control/log: what is written into a line is read again from it", "[F66]") {
  const std::string who = GENERATE(as<std::string>(), "alice", "", "a \"b\" \\ c", "x=y", "]\t\n");
  LineText line(kAt, "gw1", "audit");
  line.text("who", who).word("action", who).number("records", 7);
  const auto fields = read_log_line(line.line());
  REQUIRE(fields.size() == 6);
  std::string expected = who;
  for (char& c : expected)
    c = c == '\t' || c == '\n' ? '?' : c;
  CHECK(value(fields, "who") == expected);
  CHECK(value(fields, "action") == (who.empty() ? "-" : expected));
  CHECK(find_log_field(line.line(), "records") == "7");
  CHECK(line.line().find('\n') == std::string::npos);
}

TEST_CASE("control/log: a line of the error log has time, level and text") {
  const auto fields = read_log_line("2026-03-01 09:00:00.123+01:00 warning wan: link=down \"now\"");
  CHECK(fields == std::vector<LogField>{{"time", "2026-03-01T09:00:00.123+0100"},
                                        {"level", "warning"},
                                        {"text", "wan: link=down \"now\""}});
}

TEST_CASE("control/log: any other line is text") {
  const std::string line = GENERATE(as<std::string>(), "", "hello", "=", "a\"b=c", "a =b");
  CHECK(read_log_line(line) == std::vector<LogField>{{"text", line}});
}

TEST_CASE("control/log: a syslog message names log, host and fields", "[F68][RFC5424-6]") {
  LogEntry entry;
  entry.log = config::LogName::security;
  entry.severity = Severity::notice;
  entry.wall_ns = kAt;
  entry.line =
      "time=2026-03-01T10:00:00.123+0100 host=gw1 module=filter rule=\"a]\\\"b\" action=drop";
  CHECK(syslog_message(entry, {"gw1", 812, 16}) ==
        "<133>1 2026-03-01T09:00:00.123456Z gw1 postern 812 security [security@32473 "
        "module=\"filter\" rule=\"a\\]\\\"b\" action=\"drop\"] "
        "module=filter rule=\"a]\\\"b\" action=drop");
  CHECK(syslog_frame("hello") == "5 hello");
}

TEST_CASE("control/log: a syslog message keeps within its bound", "[RFC5425-4.3.1]") {
  LogEntry entry;
  const std::string line = "text=\"" + std::string(20'000, 'x') + "\"";
  entry.line = line;
  CHECK(syslog_message(entry, {"gw1", 1, 16}).size() == kSyslogMessageMax);
}

TEST_CASE("control/log: the journal gets a field for each of the line", "[F65]") {
  const auto fields = journal_fields(config::LogName::dial, Severity::notice,
                                     "time=t host=gw1 module=dial interface=wan action=link_up");
  const std::vector<std::string> expected = {
      "MESSAGE=time=t host=gw1 module=dial interface=wan action=link_up",
      "PRIORITY=5",
      "SYSLOG_IDENTIFIER=postern",
      "POSTERN_LOG=dial",
      "POSTERN_TIME=t",
      "POSTERN_HOST=gw1",
      "POSTERN_MODULE=dial",
      "POSTERN_INTERFACE=wan",
      "POSTERN_ACTION=link_up"};
  CHECK(fields == expected);
}
