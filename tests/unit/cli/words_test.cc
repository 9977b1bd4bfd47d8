// SPDX-License-Identifier: BSD-3-Clause
#include "cli/shell/words.h"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::cli;

namespace {

using Words = std::vector<std::string>;

bool splits_into(const std::string& line, const Words& wanted) {
  auto words = split_words(line);
  return words && *words == wanted;
}

}  // namespace

TEST_CASE("cli/words: blanks part words, quotes and backslashes keep them together") {
  CHECK(splits_into("", {}));
  CHECK(splits_into(" \t ", {}));
  CHECK(splits_into("show  rules\t--details ", {"show", "rules", "--details"}));
  CHECK(splits_into("--comment 'new office' x", {"--comment", "new office", "x"}));
  CHECK(splits_into(R"(--comment "a 'b' \"c\"")", {"--comment", "a 'b' \"c\""}));
  CHECK(splits_into(R"(a\ b 'c\d')", {"a b", "c\\d"}));
  CHECK(splits_into("--name='a b'c", {"--name=a bc"}));
  CHECK(splits_into("'' \"\"", {"", ""}));
  CHECK(splits_into("Büro 'süß'", {"Büro", "süß"}));
}

TEST_CASE("cli/words: what means something to other shells means nothing here", "[F60]") {
  CHECK(splits_into("status; id", {"status;", "id"}));
  CHECK(splits_into("a | b > c & $(id) `id` $HOME * ~ {x,y}",
                    {"a", "|", "b", ">", "c", "&", "$(id)", "`id`", "$HOME", "*", "~", "{x,y}"}));
}

TEST_CASE("cli/words: what has no end, control characters and what is too much are refused") {
  for (const char* line : {"'a", "\"a", "a\\", "\"a\\", "a\nb", "a\rb", "a\x1b[1m", "a\x7f"}) {
    CAPTURE(line);
    CHECK_FALSE(split_words(line));
  }
  CHECK_FALSE(split_words(std::string("a\0b", 3)));
  CHECK(split_words(std::string(kLineMax, 'a')));
  CHECK_FALSE(split_words(std::string(kLineMax + 1, 'a')));
  std::string many;
  for (size_t i = 0; i < kWordsMax; ++i)
    many += "a ";
  CHECK(split_words(many));
  CHECK_FALSE(split_words(many + "a"));
}
