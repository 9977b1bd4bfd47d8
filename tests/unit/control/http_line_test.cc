// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/http_line.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <map>

namespace postern {
namespace {

constexpr int64_t kWall = 1'772'352'000'123'000'000;  // 2026-03-01T08:00:00.123Z

http::LogRecord record() {
  http::LogRecord record;
  record.client = {Ipv4Address(0xC0A8010A), 50000};
  record.user = "alice";
  record.method = "GET";
  record.url = "http://www.example.com/a?b=c";
  record.status = 200;
  record.bytes = 5120;
  record.agent = "curl/7.88.1";
  record.result = http::CacheResult::hit;
  record.total = milliseconds(2);
  return record;
}

std::map<std::string, std::string> fields_of(const std::string& line) {
  std::map<std::string, std::string> fields;
  for (const LogField& field : read_log_line(line))
    fields[std::string(field.key)] = field.value;
  return fields;
}

}  // namespace

TEST_CASE("control/http_line: a line is of the combined log format, with fields behind", "[F65]") {
  setenv("TZ", "UTC", 1);
  tzset();
  CHECK(http_line(record(), kWall) ==
        "192.168.1.10 - alice [01/Mar/2026:08:00:00 +0000] \"GET http://www.example.com/a?b=c "
        "HTTP/1.1\" 200 5120 \"-\" \"curl/7.88.1\" cache=hit duration_ms=2");
}

TEST_CASE("control/http_line: what is written is read again", "[F65][F69]") {
  http::LogRecord one = record();
  one.user = "";
  one.referer = "http://example.com/\"\\ x";
  one.upstream = Ipv4Address(0xC6336450);
  one.upstream_wait = milliseconds(7);
  one.is_stored = true;
  one.is_complete = false;
  one.detail = "the server \"left\"";
  const auto fields = fields_of(http_line(one, kWall));
  CHECK(fields.at("source") == "192.168.1.10");
  CHECK(fields.count("user") == 0);
  CHECK(fields.at("method") == "GET");
  CHECK(fields.at("url") == "http://www.example.com/a?b=c");
  CHECK(fields.at("status") == "200");
  CHECK(fields.at("bytes") == "5120");
  CHECK(fields.at("referer") == one.referer);
  CHECK(fields.at("agent") == "curl/7.88.1");
  CHECK(fields.at("upstream") == "198.51.100.80");
  CHECK(fields.at("wait_ms") == "7");
  CHECK(fields.at("stored") == "yes");
  CHECK(fields.at("complete") == "no");
  CHECK(fields.at("detail") == one.detail);
  CHECK(fields.at("time").substr(0, 10) == "2026-03-01");
}

TEST_CASE("control/http_line: what was denied says so, and by which rule", "[F57][F65]") {
  http::LogRecord one = record();
  CHECK(fields_of(http_line(one, kWall)).count("action") == 0);
  one.status = 403;
  one.is_denied = true;
  one.detail = "filtered: 192.0.2.1";
  auto fields = fields_of(http_line(one, kWall));
  CHECK(fields.at("action") == "deny");
  CHECK(fields.count("rule") == 0);
  one.rule = "games";
  one.detail = "denied: rule games";
  fields = fields_of(http_line(one, kWall));
  CHECK(fields.at("action") == "deny");
  CHECK(fields.at("rule") == "games");
  CHECK(fields.at("detail") == "denied: rule games");
}

TEST_CASE("control/http_line: nothing from outside breaks a line", "[F65]") {
  http::LogRecord one = record();
  one.method = "GET\n";
  one.user = "a b] \"GET";
  one.agent = "x\"\r\n192.168.1.9 - root";
  const std::string line = http_line(one, kWall);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find('\r') == std::string::npos);
  CHECK(fields_of(line).at("agent") == "x\"??192.168.1.9 - root");
  CHECK(fields_of(line).at("status") == "200");
  one.url = std::string_view();
  CHECK(fields_of(http_line(one, kWall)).count("url") == 0);
}

TEST_CASE("control/http_line: what is none is left to other forms", "[F65]") {
  const auto* text =
      GENERATE("", "192.168.1.10", "192.168.1.10 - - [x] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"",
               "host - - [01/Mar/2026:08:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"",
               "192.168.1.10 - - [01/Mar/2026:08:00:00 +0000] \"GET\" 200 1 \"-\" \"-\"",
               "192.168.1.10 - - [01/Mar/2026:08:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-",
               "192.168.1.10 - - [01/Mar/2026:08:00:00 +0000] \"GET / HTTP/1.1 200 1");
  std::vector<LogField> fields;
  CHECK_FALSE(read_http_line(text, fields));
  CHECK(fields.empty());
}

}  // namespace postern
