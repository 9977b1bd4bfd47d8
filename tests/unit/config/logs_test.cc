// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/logs.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "control/config/model_logging.h"

namespace postern::config {

TEST_CASE("config/logs: each log stands at its name, and has the defaults of its line", "[F65]") {
  const Logging logging;
  for (size_t i = 0; i < kLogs; ++i) {
    const LogFacts& log = kLogTable[i];
    CHECK(static_cast<size_t>(log.name) == i);
    CHECK(logging.file(log.name).console == log.on_console);
    CHECK(logging.file(log.name).file);
    CHECK(SyslogTarget().wants(log.name) == log.is_forwarded);
  }
  CHECK(std::string(to_word(LogName::dial)) == "dial");
  CHECK(logging.file(LogName::error).console);
  SyslogTarget target;
  target.logs = {LogName::debug};
  CHECK(target.wants(LogName::debug));
  CHECK_FALSE(target.wants(LogName::error));
}

TEST_CASE("config/logs: the schema of what postern prints knows each log", "[F65]") {
  std::ifstream file(POSTERN_SOURCE_ROOT "/doc/schema/common.json");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::string words;
  for (const LogFacts& log : kLogTable)
    words += (words.empty() ? "\"" : ", \"") + std::string(log.word) + "\"";
  CHECK(text.find("\"log\": {\"enum\": [" + words + "]}") != std::string::npos);
}

}  // namespace postern::config
