// SPDX-License-Identifier: BSD-3-Clause
#include <catch2/catch.hpp>

#include "cli/login/answer.h"

using namespace postern::cli;
using State = AnswerReader::State;

namespace {

const std::string kStart = "HTTP/1.1 200 OK\r\n";

State state_of(const std::string& text) {
  AnswerReader reader;
  return reader.feed(text);
}

}  // namespace

TEST_CASE("cli/login: an answer is read in one piece or in many", "[F27]") {
  const std::string text =
      "HTTP/1.1 303 See Other\r\nSet-Cookie: a=b; Path=/\r\nLocation: /\r\nset-cookie: c=d\r\n"
      "Content-Length: 4\r\n\r\nbodyand more";
  for (size_t piece : {size_t{1}, size_t{7}, text.size()}) {
    CAPTURE(piece);
    AnswerReader reader;
    State state = State::more;
    for (size_t at = 0; at < text.size(); at += piece)
      state = reader.feed(std::string_view(text).substr(at, piece));
    REQUIRE(state == State::done);
    CHECK(reader.answer().status == 303);
    CHECK(reader.answer().location == "/");
    CHECK(reader.answer().cookies == std::vector<std::string>{"a=b; Path=/", "c=d"});
    CHECK(reader.answer().body == "body");
  }
}

TEST_CASE("cli/login: what is no answer, or has no end, is refused", "[F27]") {
  for (const std::string& bad :
       {std::string("SSH-2.0-x\r\n\r\n"), std::string("HTTP/1.1 2000 OK\r\n\r\n"),
        std::string("HTTP/1.1\r\n\r\n"), std::string("HTTP/1.1 abc OK\r\n\r\n"),
        std::string("\0\0\0\0\0\0\0\0\r\n\r\n", 12), kStart + "\r\nbody",
        kStart + "Transfer-Encoding: gzip\r\n\r\nbody", kStart + "Content-Length: -1\r\n\r\n",
        kStart + "Content-Length: 4x\r\n\r\nbody", kStart + "no colon\r\n\r\n",
        kStart + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody",
        kStart + "Content-Length: 99999999999999999999999\r\n\r\n",
        std::string("HTTP/1.1 100 Continue\r\n\r\n"),
        kStart + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
    CAPTURE(bad);
    CHECK(state_of(bad) == State::refused);
  }
}

TEST_CASE("cli/login: heads, bodies and pieces without an end are refused", "[F27]") {
  const std::string line = "X: " + std::string(1000, 'x') + "\r\n";
  std::string head = kStart;
  while (head.size() < 2 * kAnswerHeadMax)
    head += line;
  CHECK(state_of(head) == State::refused);
  CHECK(state_of(kStart + "X: " + std::string(2 * kAnswerHeadMax, 'x')) == State::refused);
  const std::string large = std::to_string(kAnswerBodyMax + 1);
  CHECK(state_of(kStart + "Content-Length: " + large + "\r\n\r\n") == State::refused);
  const std::string fits = std::to_string(kAnswerBodyMax);
  const std::string body(kAnswerBodyMax, 'x');
  CHECK(state_of(kStart + "Content-Length: " + fits + "\r\n\r\n" + body) == State::done);
  const std::string chunked = kStart + "Transfer-Encoding: chunked\r\n\r\n";
  std::string chunks = chunked;
  for (size_t at = 0; at <= kAnswerBodyMax; at += 16)
    chunks += "10\r\n0123456789abcdef\r\n";
  CHECK(state_of(chunks) == State::refused);
  CHECK(state_of(chunked + "1;" + std::string(2 * kAnswerHeadMax, 'x')) == State::refused);
}
