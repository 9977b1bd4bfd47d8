// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/log_window.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "control/log/audit_log.h"
#include "control/text_file.h"
#include "unit/control/configuration.h"

using namespace postern;
using config::LogName;

namespace {

void add(LogWindow& window, LogName log, int64_t wall_ns, const std::string& line) {
  LogEntry entry;
  entry.log = log;
  entry.wall_ns = wall_ns;
  entry.line = line;
  window.add(entry);
}

std::vector<std::string> texts(const std::vector<LogWindow::Line>& lines) {
  std::vector<std::string> list;
  for (const auto& line : lines)
    list.push_back(line.text);
  return list;
}

}  // namespace

TEST_CASE("control/log: the last lines of all logs, by time and filter", "[F69]") {
  LogWindow window;
  add(window, LogName::security, 1, "rule=\"a\" action=drop source=192.0.2.1:80");
  add(window, LogName::security, 3, "rule=\"ab\" action=permit source=192.0.2.10:80");
  add(window, LogName::error, 2, "something about rule=\"a\"");
  using List = std::vector<std::string>;
  CHECK(texts(window.tail({}, 2).lines) ==
        List{"something about rule=\"a\"", "rule=\"ab\" action=permit source=192.0.2.10:80"});
  LogFilter filter;
  filter.rule = "a";
  CHECK(window.tail(filter, 9).lines.size() == 1);
  filter = {};
  filter.host = "192.0.2.1";
  CHECK(window.tail(filter, 9).lines.size() == 1);
  filter = {};
  filter.action = "permit";
  filter.logs = {LogName::security};
  CHECK(window.tail(filter, 9).lines.size() == 1);
  filter = {};
  filter.since_ns = 3;
  CHECK(window.tail(filter, 9).lines.size() == 1);
}

TEST_CASE("control/log: the HTTP log is searched for rules and actions, too", "[F65][F69]") {
  const std::string front = "192.0.2.1 - - [01/Mar/2026:08:00:00 +0000] \"GET http://a.example/";
  const std::string games =
      front + " HTTP/1.1\" 403 9 \"-\" \"-\" cache=none action=deny rule=games detail=\"denied\"";
  LogWindow window;
  add(window, LogName::http, 1, games);
  add(window, LogName::http, 2, front + "games?rule=games HTTP/1.1\" 200 9 \"-\" \"-\" cache=miss");
  add(window, LogName::http, 3,
      front + " HTTP/1.1\" 403 9 \"-\" \"rule=games action=deny\" cache=none rule=games-2");
  add(window, LogName::security, 4, "rule=\"shops\" action=deny");
  using List = std::vector<std::string>;
  LogFilter filter;
  filter.rule = "games";
  CHECK(texts(window.tail(filter, 9).lines) == List{games});
  filter = {};
  filter.action = "deny";
  filter.logs = {LogName::http};
  CHECK(texts(window.tail(filter, 9).lines) == List{games});
}

TEST_CASE("control/log: who follows a rule gets its lines only, however many others come",
          "[F69]") {
  LogWindow window;
  LogFilter filter;
  filter.rule = "x";
  auto followed = window.follow(filter, geteuid(), 5);
  REQUIRE(followed);
  for (int i = 0; i < 20'000; ++i)
    add(window, LogName::security, i, i % 1000 == 0 ? "rule=\"x\"" : "rule=\"y\"");
  auto batch = window.read(followed->id, geteuid());
  REQUIRE(batch);
  CHECK(batch->lines.size() == 20);
  CHECK(batch->lost == 0);
  for (int i = 0; i < 10'000; ++i)
    add(window, LogName::security, i, "rule=\"x\"");
  size_t shown = 0;
  uint64_t lost = 0;
  while ((batch = window.read(followed->id, geteuid())) && !batch->lines.empty()) {
    shown += batch->lines.size();
    lost += batch->lost;
  }
  CHECK(shown + lost == 10'000);
  CHECK_FALSE(window.read(followed->id + 1, geteuid()));
  CHECK_FALSE(window.read(followed->id, geteuid() + 1));
}

TEST_CASE("control/log: a window begins with the end of the file", "[F69]") {
  test::TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() + "/log");
  std::ofstream file(directory.path() + "/log/dial.log");
  for (int i = 0; i < 30'000; ++i)
    file << "time=2026-03-01T09:00:00.123+0100 host=gw1 number=" << i << "\n";
  file.close();
  LogWindow window;
  window.seed(LogName::dial, directory.path());
  const auto tail = window.tail({}, 3);
  REQUIRE(tail.lines.size() == 3);
  CHECK(tail.lines[2].text.find("number=29999") != std::string::npos);
  CHECK(tail.lines[2].wall_ns == 1'772'352'000'123'000'000);
  CHECK(window.tail({}, 5000).is_cut);
}

TEST_CASE("control/log: the audit log says who did what from where", "[F65]") {
  test::TemporaryDirectory directory;
  AuditLog audit;
  REQUIRE(audit.configure({}, directory.path(), "gw1"));
  audit.record({.who = "alice", .from = "pid 7", .action = "apply", .detail = "a \"b\"\n"});
  audit.record({.who = "eve", .from = "", .action = "login", .detail = "no", .outcome = "refused"});
  const std::string text = *read_text_file(directory.path() + "/log/audit.log");
  CHECK(text.find(" host=gw1 module=audit who=\"alice\" from=\"pid 7\" action=\"apply\" "
                  "outcome=done detail=\"a \\\"b\\\"?\"\n") != std::string::npos);
  CHECK(text.find("who=\"eve\" from=\"\" action=\"login\" outcome=refused detail=\"no\"\n") !=
        std::string::npos);
}
