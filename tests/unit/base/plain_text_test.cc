// SPDX-License-Identifier: BSD-3-Clause
#include "base/plain_text.h"

#include <catch2/catch.hpp>

using namespace postern;

TEST_CASE("base/plain_text: what a terminal would obey does not get there", "[F66]") {
  const auto [text, plain] = GENERATE(table<std::string, std::string>({
      {"", ""},
      {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
      {"a\x1B[2Jb\x7F\n", "a?[2Jb??"},
      {"a\xC2\x9B"
       "2Jb",
       "a?2Jb"},                                   // CSI
      {"\xC2\x80\xC2\x9F\xC2\xA0", "??\xC2\xA0"},  // the first, the last, the one behind
      {"\x9B"
       "2J",
       "?2J"},                  // as one byte
      {"\xE0\x82\x9B", "???"},  // longer than need be
      {"\xC3", "?"},            // cut
      {"\xED\xA0\x80\xF4\x90\x80\x80", "???????"},
  }));
  CHECK(plain_text(text) == plain);
}
