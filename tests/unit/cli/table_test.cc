// SPDX-License-Identifier: BSD-3-Clause
#include "cli/table.h"

#include <catch2/catch.hpp>

#include "cli/suggest.h"

using namespace postern::cli;

TEST_CASE("cli/table: text stands left and numbers right") {
  Table table({{"NAME"}, {"PACKETS", Align::right}, {"HELP"}});
  table.add({"wan", "7", "x"});
  table.add({"lan", "12345678", ""});
  CHECK(table.to_text(true) ==
        "NAME   PACKETS  HELP\n"
        "wan          7  x\n"
        "lan   12345678\n");
  CHECK(table.to_text(false) ==
        "wan         7  x\n"
        "lan  12345678\n");
}

TEST_CASE("cli/table: a table without rows is its header") {
  Table table({{"NAME"}, {"LINK"}});
  CHECK(table.is_empty());
  CHECK(table.to_text(true) == "NAME  LINK\n");
  CHECK(table.to_text(false).empty());
}

TEST_CASE("cli/table: cells cannot speak to the terminal, and UTF-8 is as wide as it looks") {
  Table table({{"A"}, {"B"}});
  table.add({"\x1b[31m", "x"});
  table.add({"Bürö", "y"});
  CHECK(table.to_text(false) ==
        "?[31m  x\n"
        "Bürö   y\n");
}

TEST_CASE("cli/table: durations have their two largest units") {
  auto [seconds, text] = GENERATE(table<int64_t, std::string>({
      {0, "0s"},
      {59, "59s"},
      {60, "1m00s"},
      {3599, "59m59s"},
      {3600, "1h00m"},
      {86399, "23h59m"},
      {200000, "2d07h"},
      {-1, "-"},
  }));
  CHECK(duration_text(seconds) == text);
}

TEST_CASE("cli/suggest: the nearest word is named when one is near") {
  const std::vector<std::string> words = {"sessions", "mappings", "rules", "drops"};
  auto [typed, expected] = GENERATE(table<std::string, std::string>({
      {"sesions", "sessions"},
      {"sess", "sessions"},
      {"rule", "rules"},
      {"drosp", "drops"},
      {"interfaces", ""},
      {"", ""},
      {std::string(1000, 's'), ""},
  }));
  CHECK(nearest(typed, words) == expected);
}
