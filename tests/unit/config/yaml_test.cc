// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/yaml.h"

#include <catch2/catch.hpp>

#include "control/config/report.h"

namespace postern::config {
namespace {

std::string errors_of(std::string_view text) {
  Report report;
  read_yaml(text, report);
  std::string out;
  for (const Finding& finding : report.take())
    out += to_text(finding, "x") + "\n";
  return out;
}

}  // namespace

TEST_CASE("config/yaml: the tree keeps order, quotes and places") {
  Report report;
  auto root = read_yaml("b: 1\na: [x, 'y']\nc:\n  - d: \"1\"\n    e:\n  -\n", report);
  REQUIRE(root);
  CHECK(report.errors() == 0);
  REQUIRE(root->entries.size() == 3);
  CHECK(root->entries[0].key == "b");
  CHECK_FALSE(root->entries[0].value.quoted);
  const Node* a = find_entry(*root, "a");
  CHECK(a->entries[1].value.quoted);
  CHECK(a->entries[1].value.mark.column == 8);
  const Node* c = find_entry(*root, "c");
  REQUIRE(c->entries.size() == 2);
  CHECK(find_entry(c->entries[0].value, "d")->quoted);
  const Node* e = find_entry(c->entries[0].value, "e");
  CHECK(e->kind == NodeKind::null);
  CHECK(e->mark.line == 5);
  CHECK(c->entries[1].value.kind == NodeKind::null);
}

TEST_CASE("config/yaml: a byte order mark and CRLF are accepted") {
  Report report;
  auto root = read_yaml(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: 2\r\n",
      report);
  REQUIRE(root);
  CHECK(find_entry(*root, "b")->text == "2");
  CHECK(root->entries[1].mark.line == 2);
}

TEST_CASE("config/yaml: bytes that are no text are refused before parsing") {
  using namespace std::string_view_literals;
  CHECK(errors_of("a: \tb\n") == "x:1:4: error: tab character: indent and align with spaces\n");
  CHECK(errors_of("a: 1\nb: \0\n"sv) == "x:2:4: error: NUL byte: this is not a text file\n");
  CHECK(errors_of("a: \x1b[0m\n") == "x:1:4: error: control character\n");
  CHECK(errors_of("a: b\rc: d\n") == "x:1:5: error: carriage return without line feed\n");
  auto bad = GENERATE("\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                      "\xF4\x90\x80\x80", "\xF8\x88\x80\x80", "\xE2\x82");
  CHECK(errors_of(std::string("a: ") + bad).find("not valid UTF-8") != std::string::npos);
  CHECK(errors_of("a: \xE2\x82\xAC \xF0\x9F\x98\x80\n").empty());
}

TEST_CASE("config/yaml: size, depth and number of values are bounded") {
  CHECK(errors_of(std::string(kFileBytesMax + 1, '#')) ==
        "x: error: the file is larger than 4 MiB\n");
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(errors_of(nested(kDepthMax)).empty());
  CHECK(errors_of(nested(kDepthMax + 1)) == "x:1:33: error: nested deeper than 32 levels\n");
  CHECK(errors_of(nested(900)) == "x:1:33: error: nested deeper than 32 levels\n");
  std::string many = "[";
  for (size_t i = 0; i < kNodesMax; ++i)
    many += "a,";
  CHECK(errors_of(many + "]") ==
        "x:1:400001: error: more open brackets or commas than a file may have\n");
  many = "";
  for (size_t i = 0; i <= kNodesMax; ++i)
    many += "- a\n";
  CHECK(errors_of(many) == "x:200000:3: error: the file has more than 200,000 values\n");
}

TEST_CASE("config/yaml: brackets without end cost no memory, brackets in text do not count") {
  const std::string refused = "error: more open brackets or commas than a file may have\n";
  CHECK(errors_of(std::string(500'000, '[')) == "x:1:1001: " + refused);
  CHECK(errors_of("a: 1\nb:\n" + std::string(500'000, '{')) == "x:3:1001: " + refused);
  auto text = GENERATE("a[[", "\"[\"", "'it''s ['", "\"\\\"[\"", "x # [", "a-[", "[a, b] # {");
  std::string many;
  for (int i = 0; i < 1500; ++i)
    many += "- " + std::string(text) + "\n";
  INFO(text);
  CHECK(errors_of(many).empty());
}

}  // namespace postern::config
