// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/reply.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace postern::mail {
namespace {

std::string written(const Reply& reply) {
  std::string out;
  append_reply(out, reply);
  return out;
}

TEST_CASE("mail/message/reply: each line has the code, the last a space behind it",
          "[RFC5321-4.2.1]") {
  CHECK(written({250, "", "a.example\nSIZE 10\nHELP"}) ==
        "250-a.example\r\n250-SIZE 10\r\n250 HELP\r\n");
  CHECK(written({354, "", "Go on"}) == "354 Go on\r\n");
  CHECK(written({250, "", ""}) == "250 \r\n");
}

TEST_CASE("mail/message/reply: the enhanced code stands on every line", "[RFC2034-3]") {
  CHECK(written({550, "5.7.1", "No.\nReally."}) == "550-5.7.1 No.\r\n550 5.7.1 Really.\r\n");
}

TEST_CASE("mail/message/reply: text of others cannot make lines or break the bound",
          "[RFC5321-4.5.3.1]") {
  CHECK(written({550, "5.7.1", "a\r\n250 ok"}) == "550-5.7.1 a?\r\n550 5.7.1 250 ok\r\n");
  CHECK(written({550, "5.7.1", std::string(2000, 'x')}).size() == 512);
  CHECK(to_text(Reply{550, "5.1.1", "a\nb\r"}) == "550 5.1.1 a b?");
  std::string endless;
  for (int i = 0; i < 1000; ++i)
    endless += "x\n";
  CHECK(written({250, "", endless}).size() == kReplyLinesMax * 7);
}

std::string read(const std::vector<std::string>& lines) {
  ReplyReader reader;
  for (const std::string& line : lines) {
    switch (reader.take(line)) {
      case ReplyReader::Step::more:
        continue;
      case ReplyReader::Step::bad:
        return "bad";
      case ReplyReader::Step::done:
        const Reply& reply = reader.reply();
        return std::to_string(reply.code) + '/' + reply.enhanced + '/' + reply.text;
    }
  }
  return "more";
}

TEST_CASE("mail/message/reply: replies are read line by line", "[RFC5321-4.2.1]") {
  CHECK(read({"250 ok"}) == "250//ok");
  CHECK(read({"250"}) == "250//");
  CHECK(read({"250-a", "250-b", "250 c"}) == "250//a\nb\nc");
  CHECK(read({"550-5.1.1 a", "550 5.1.1 b"}) == "550/5.1.1/a\nb");
  CHECK(read({"550 5.1.1"}) == "550/5.1.1/");
  CHECK(read({"550 4.1.1 other class"}) == "550//4.1.1 other class");
  CHECK(read({"250-a"}) == "more");
  for (const auto* bad : {"", "2", "25", "150 x", "650 x", "2x0 x", "250x", "hello", "250\tx"})
    CHECK(read({bad}) == "bad");
  CHECK(read({"250-a", "251 b"}) == "bad");
  CHECK(read(std::vector<std::string>(1000, "250-a")) == "bad");
}

TEST_CASE("mail/message/reply: enhanced codes are class, subject and detail", "[RFC3463-2]") {
  for (const auto* good : {"2.0.0", "4.7.1", "5.1.10", "5.999.999"})
    CHECK(is_enhanced_code(good));
  for (const auto* bad :
       {"", "3.0.0", "5", "5.1", "5.1.", "5.01.1", "5.1.1000", "5.1.1.1", "5.1.1 "})
    CHECK(!is_enhanced_code(bad));
}

}  // namespace
}  // namespace postern::mail
