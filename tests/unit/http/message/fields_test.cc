// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/fields.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace postern::http {
namespace {

std::vector<std::string> members(ListWalk walk) {
  std::vector<std::string> all;
  while (const auto member = walk.next())
    all.emplace_back(*member);
  return all;
}

TEST_CASE("http/message/fields: names have no case, values no white space around them") {
  Fields fields;
  REQUIRE(fields.add("Content-Type", " text/plain\t"));
  CHECK(fields.find("content-type") == "text/plain");
  CHECK_FALSE(fields.find("content-typ"));
  CHECK(fields.has("CONTENT-TYPE"));
}

TEST_CASE(
    "http/message/fields: members of all fields of a name come in order, quoted commas stay") {
  Fields fields;
  REQUIRE(fields.add("Vary", "Accept, ,Cookie"));
  REQUIRE(fields.add("Date", "x"));
  REQUIRE(fields.add("vary", R"(a="1,\",2" , b)"));
  CHECK(members(ListWalk(fields, "Vary")) ==
        std::vector<std::string>{"Accept", "Cookie", R"(a="1,\",2")", "b"});
  CHECK(members(ListWalk(",,")).empty());
  CHECK(members(ListWalk(R"("open, to the end)")) ==
        std::vector<std::string>{R"("open, to the end)"});
  CHECK(members(ListWalk(R"("\)")) == std::vector<std::string>{R"("\)"});
}

TEST_CASE("http/message/fields: no more than kFieldsMax are taken") {
  Fields fields;
  for (size_t i = 0; i < kFieldsMax; ++i)
    REQUIRE(fields.add("a", "b"));
  CHECK_FALSE(fields.add("a", "b"));
  CHECK(fields.count("A") == kFieldsMax);
}

}  // namespace
}  // namespace postern::http
