// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/text_splitter.h"

#include <catch2/catch.hpp>

using namespace postern::mail;

namespace {

struct Story : TextSplitter::Sink {
  std::string told;
  std::string text;  // of the body

  void field(std::string_view name, std::string_view value) override {
    told += "[" + std::string(name) + "]" + std::string(value) + ";";
  }
  void end_of_header() override { told += "|"; }
  void body(std::string_view octets) override { text += octets; }
};

Story split(std::string_view text, size_t step, size_t field_max = 1000) {
  Story story;
  TextSplitter splitter(field_max);
  for (size_t at = 0; at < text.size(); at += step)
    splitter.feed(text.substr(at, step), story);
  splitter.finish(story);
  return story;
}

}  // namespace

TEST_CASE("mail/text_splitter: fields, the end of the header and the body, in any pieces",
          "[F54]") {
  struct Row {
    std::string_view text, told, body;
  };
  const Row row = GENERATE(values<Row>({
      {"A: b\r\nC:d\r\n\r\nbody\r\n", "[A] b;[C]d;|", "body\r\n"},
      {"A: b\r\n  more\r\n\tand more\r\n\r\n", "[A] b\n  more\n\tand more;|", ""},
      {"", "|", ""},
      {"\r\nbody", "|", "body"},
      {"A: b\r\n", "[A] b;|", ""},
      {"A: b", "[A] b;|", ""},
      {"A:\r\n\r\n\r\nbody\r\n", "[A];|", "\r\nbody\r\n"},
      {"no field\r\nA: b\r\n", "|", "no field\r\nA: b\r\n"},
      {"A: b\r\nno field\r\n\r\nx", "[A] b;|", "no field\r\n\r\nx"},
      {" folded first\r\nA: b\r\n", "|", " folded first\r\nA: b\r\n"},
      {"A : b\r\nB\xc3\xa4: c\r\n", "[A] b;|", "B\xc3\xa4: c\r\n"},
      {": b\r\n", "|", ": b\r\n"},
      {"A: b\r\n \r\nC: d\r\n", "[A] b\n ;[C] d;|", ""},
  }));
  const size_t step = GENERATE(1, 2, 3, 7, 1000);
  const Story story = split(row.text, step);
  CHECK(story.told == row.told);
  CHECK(story.text == row.body);
}

TEST_CASE("mail/text_splitter: a field that is too long comes in parts of its name", "[F54]") {
  const size_t step = GENERATE(1, 5, 1000);
  CHECK(split("Ab: 0123456789abcdef\r\nC: d\r\n", step, 10).told ==
        "[Ab] 0123456;[Ab]789abcde;[Ab]f;[C] d;|");
  CHECK(split("Ab: 01234567\r\n 1\r\n 2\r\n\r\n", step, 10).told ==
        "[Ab] 0123456;[Ab]7;[Ab]\n 1\n 2;|");
  // Not one more where nothing follows.
  CHECK(split("Ab: 01234567\r\n\r\n", step, 10).told == "[Ab] 0123456;[Ab]7;|");
  CHECK(split("LongerThanThat: ab\r\n\r\n", step, 4).told == "[Lon] ;[Lon]a;[Lon]b;|");
}

TEST_CASE("mail/text_splitter: of an endless line nothing is lost, and its end begins no field",
          "[F54]") {
  const std::string line = "A: " + std::string(3 * TextSplitter::kLineMax, 'x') + "B: c";
  const size_t step = GENERATE(4096, 65537, 1'000'000);
  const Story story = split(line + "\r\nD: e\r\n\r\nbody", step, 1'000'000);
  std::string told = story.told;
  for (size_t at = told.find(";[A]"); at != std::string::npos; at = told.find(";[A]"))
    told.erase(at, 4);
  CHECK(told == "[A]" + line.substr(2) + ";[D] e;|");
  CHECK(story.text == "body");
  const std::string no_field(2 * TextSplitter::kLineMax, 'x');
  CHECK(split(no_field + "\r\nA: b", step).text == no_field + "\r\nA: b");
}
