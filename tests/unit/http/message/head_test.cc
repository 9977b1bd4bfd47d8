// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/head.h"

#include <catch2/catch.hpp>
#include <string>

#include "unit/http/message/read_message.h"

namespace postern::http {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kPlain =
    "GET http://www.example.com/a?b HTTP/1.1\r\nHost: www.example.com\r\nAccept:\t*/* "
    "\r\nX:\r\n\r\n";

std::string status_of(std::string_view text, const HeadLimits& limits = HeadLimits()) {
  RequestReader reader(limits);
  const Step step = reader.read(text);
  if (step == Step::refused) {
    return std::to_string(reader.refusal().status) + " " + std::string(reader.refusal().reason);
  }
  return step == Step::done ? "ok" : "more";
}

std::string answer_status_of(std::string_view text) {
  ResponseReader reader;
  const Step step = reader.read(text);
  if (step == Step::refused) {
    return std::to_string(reader.refusal().status) + " " + std::string(reader.refusal().reason);
  }
  return step == Step::done ? std::to_string(reader.head().status) : "more";
}

TEST_CASE("http/message/head: a request is views into what was received") {
  const std::string received = std::string(kPlain) + "GET /next";
  RequestReader reader;
  REQUIRE(reader.read(received) == Step::done);
  const RequestHead& head = reader.head();
  CHECK(reader.length() == kPlain.size());
  CHECK(head.method == "GET");
  CHECK(head.method.data() == received.data());
  CHECK(head.target == "http://www.example.com/a?b");
  CHECK(head.minor == 1);
  REQUIRE(head.fields.size() == 3);
  CHECK(head.fields.find("accept") == "*/*");
  CHECK(head.fields.find("x") == "");
  CHECK(head.fields.begin()->value.data() == received.data() + received.find(" www") + 1);
}

TEST_CASE("http/message/head: octets that moved are read again where they are") {
  RequestReader reader;
  std::string first(kPlain);
  REQUIRE(reader.read(first) == Step::done);
  const std::string second = first;
  first.assign(first.size(), 'x');
  REQUIRE(reader.read(second) == Step::done);
  CHECK(reader.head().method.data() == second.data());
  CHECK(reader.length() == kPlain.size());
}

TEST_CASE("http/message/head: one reader reads one request behind the other") {
  const std::string two = std::string(kPlain) + "\r\nHEAD / HTTP/1.0\r\n\r\n";
  std::string_view rest = two;
  RequestReader reader;
  REQUIRE(reader.read(rest) == Step::done);
  rest.remove_prefix(reader.length());
  reader.restart();
  REQUIRE(reader.read(rest) == Step::done);
  CHECK(reader.head().method == "HEAD");
  CHECK(reader.head().minor == 0);
  CHECK(reader.head().fields.size() == 0);
  CHECK(reader.length() == rest.size());
}

TEST_CASE("http/message/head: a response is read with its reason or without", "[RFC9112-4]") {
  ResponseReader reader;
  REQUIRE(reader.read("HTTP/1.0 404 Not  Found \xe4\r\nA: b\r\n\r\nbody") == Step::done);
  CHECK(reader.head().status == 404);
  CHECK(reader.head().reason == "Not  Found \xe4");
  CHECK(reader.head().minor == 0);
  CHECK(reader.head().fields.find("a") == "b");
  CHECK(reader.length() == 35);
  CHECK(answer_status_of("HTTP/1.1 200 \r\n\r\n") == "200");
  CHECK(answer_status_of("HTTP/1.1 200\r\n\r\n") == "200");
  CHECK(answer_status_of("HTTP/1.9 999 x\r\n\r\n") == "999");
}

TEST_CASE("http/message/head: request lines that are not sound get their status",
          "[RFC9112-3][RFC9110-2.5]") {
  struct Row {
    std::string_view line;
    std::string_view verdict;
  };
  const Row rows[] = {
      {"GET / HTTP/1.1", "ok"},
      {"GET / HTTP/1.2", "ok"},
      {"M-SEARCH * HTTP/1.1", "ok"},
      {"GET /", "400 request_line"},
      {"GET", "400 request_line"},
      {"GET  / HTTP/1.1", "400 target"},
      {" GET / HTTP/1.1", "400 start_line"},
      {"GET\t/ HTTP/1.1", "400 request_line"},
      {"GET\t/\tHTTP/1.1 x y", "400 method"},
      {"GET / HTTP/1.1 ", "400 version"},
      {"GET /  HTTP/1.1", "400 version"},
      {"GET /a b HTTP/1.1", "400 version"},
      {"GET /a\tb HTTP/1.1", "400 target"},
      {"GET /\x7f HTTP/1.1", "400 target"},
      {"GET /\xc3\xa4 HTTP/1.1", "400 target"},
      {"GET /a\rb HTTP/1.1", "400 target"},
      {"GET /a\0b HTTP/1.1"sv, "400 target"},
      {"G@T / HTTP/1.1", "400 method"},
      {"GET: / HTTP/1.1", "400 method"},
      {"\"GET\" / HTTP/1.1", "400 start_line"},
      {"GET / http/1.1", "400 version"},
      {"GET / HTTP/1.1x", "400 version"},
      {"GET / HTTP/1.10", "400 version"},
      {"GET / HTTP/11", "400 version"},
      {"GET / HTTP/1,1", "400 version"},
      {"GET / HTTP/+1.1", "400 version"},
      {"GET / HTTPS/1.1", "400 version"},
      {"GET / HTTP/2.0", "505 version"},
      {"GET / HTTP/0.9", "505 version"},
      {"PRI * HTTP/2.0", "505 version"},
      {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1", "501 method"},
      {"\x16\x03\x01", "400 start_line"},
  };
  for (const Row& row : rows) {
    INFO(row.line);
    const std::string text = std::string(row.line) + "\r\nHost: a\r\n\r\n";
    CHECK(status_of(text) == row.verdict);
  }
}

TEST_CASE("http/message/head: status lines that are not sound are refused", "[RFC9112-4]") {
  for (const std::string_view line :
       {"HTTP/1.1 20 OK"sv, "HTTP/1.1 2000 OK"sv, "HTTP/1.1  200 OK"sv, "HTTP/1.1 099 OK"sv,
        "HTTP/1.1 -20 OK"sv, "HTTP/1.1 2x0 OK"sv, "HTTP/1.1 200OK"sv, "HTTP/1.1200 OK"sv,
        "HTTP/1.1"sv, "HTTP/2.0 200 OK"sv, "ICY 200 OK"sv, "http/1.1 200 OK"sv,
        "HTTP/1.1\t200 OK"sv, "HTTP/1.1 200 O\rK"sv, "HTTP/1.1 200 O\0K"sv, "HTTP/1.1 200\tOK"sv,
        "\r\nHTTP/1.1 200 OK"sv, "H"sv, "<html>"sv}) {
    INFO(line);
    CHECK(answer_status_of(std::string(line) + "\r\nA: b\r\n\r\n").substr(0, 4) == "502 ");
  }
}

TEST_CASE("http/message/head: field lines that two could read in two ways are refused",
          "[RFC9112-5.1][RFC9112-5.2]") {
  struct Row {
    std::string_view lines;
    std::string_view verdict;
  };
  const Row rows[] = {
      {"A: b\r\n", "ok"},
      {"A:b\t c \r\n", "ok"},
      {"A: \x80\xff\r\n", "ok"},
      {"A: b: c\r\n", "ok"},
      {"A : b\r\n", "400 space_before_colon"},
      {"A\t: b\r\n", "400 space_before_colon"},
      {"A: b\r\n c\r\n", "400 folded_line"},
      {"A: b\r\n\tc\r\n", "400 folded_line"},
      {" A: b\r\n", "400 folded_line"},
      {": b\r\n", "400 field_name"},
      {"A\r\n", "400 field_name"},
      {"A(: b\r\n", "400 field_name"},
      {"\xe4: b\r\n", "400 field_name"},
      {"A\0: b\r\n"sv, "400 field_name"},
      {"A\r: b\r\n", "400 field_name"},
      {"A: b\nC: d\r\n", "400 bare_lf"},
      {"\nA: b\r\n", "400 bare_lf"},
      {"A: b\rC: d\r\n", "400 control_octet"},
      {"A: b\r\r\n", "400 control_octet"},
      {"A: b\0c\r\n"sv, "400 control_octet"},
      {"A: \x0b"
       "b\r\n",
       "400 control_octet"},
      {"A: a long value before it \x1f\r\n", "400 control_octet"},
      {"A: and the one \t \t \t behind tabs \x7f\r\n", "400 control_octet"},
  };
  for (const Row& row : rows) {
    INFO(row.lines);
    CHECK(status_of("GET / HTTP/1.1\r\n" + std::string(row.lines) + "\r\n") == row.verdict);
    const std::string answer =
        answer_status_of("HTTP/1.1 200 OK\r\n" + std::string(row.lines) + "\r\n");
    CHECK(answer == (row.verdict == "ok" ? "200" : "502" + std::string(row.verdict.substr(3))));
  }
}

TEST_CASE("http/message/head: every control octet in a value is found wherever it stands",
          "[RFC9110-5.5]") {
  for (size_t at = 0; at < 20; ++at) {
    for (int octet = 0; octet < 256; ++octet) {
      std::string value = "\xff\t 0123456789\x80 abcde" + std::string(1, 'f');
      value[at] = static_cast<char>(octet);
      const bool is_bad = (octet < 0x20 && octet != '\t') || octet == 0x7f;
      INFO(at << " " << octet);
      CHECK((status_of("GET / HTTP/1.1\r\nA:" + value + "\r\n\r\n") == "ok") == !is_bad);
    }
  }
}

TEST_CASE("http/message/head: one empty line before a request is passed over, no more",
          "[RFC9112-2.2]") {
  CHECK(status_of("\r\n" + std::string(kPlain)) == "ok");
  CHECK(status_of("\r\n\r\n" + std::string(kPlain)) == "400 empty_line");
  CHECK(status_of("\n" + std::string(kPlain)) == "400 start_line");
  CHECK(status_of("\r" + std::string(kPlain)) == "400 method");
  CHECK(status_of("\r\n") == "more");
}

TEST_CASE("http/message/head: lines, fields and heads have their limits", "[RFC9112-3]") {
  const HeadLimits limits{40, 100, 3};
  const auto padded = [](const std::string& before, size_t size, const std::string& behind) {
    return before + std::string(size - before.size() - behind.size(), 'x') + behind;
  };
  CHECK(status_of(padded("GET /", 40, " HTTP/1.1\r\n") + "\r\n", limits) == "ok");
  CHECK(status_of(padded("GET /", 41, " HTTP/1.1\r\n") + "\r\n", limits) == "414 line_too_long");
  CHECK(status_of(std::string(39, 'x'), limits) == "more");
  CHECK(status_of(std::string(40, 'x'), limits) == "414 line_too_long");
  const std::string line = "GET / HTTP/1.1\r\n";
  CHECK(status_of(line + padded("A:", 40, "\r\n") + "\r\n", limits) == "ok");
  CHECK(status_of(line + padded("A:", 41, "\r\n") + "\r\n", limits) == "431 head_too_large");
  // 16 + 40 + 40 + 2 octets are 98; two more fill the head, three are too many.
  const std::string two = line + padded("A:", 40, "\r\n") + padded("A:", 40, "\r\n");
  CHECK(status_of(two + "\r\n", limits) == "ok");
  CHECK(status_of(two + "A:\r\n", limits) == "431 head_too_large");
  CHECK(status_of(line + "A:\r\nA:\r\nA:\r\n\r\n", limits) == "ok");
  CHECK(status_of(line + "A:\r\nA:\r\nA:\r\nA:\r\n\r\n", limits) == "431 too_many_fields");
  // More than Fields holds is never taken, whatever the limit says.
  std::string many = line;
  for (size_t i = 0; i <= kFieldsMax; ++i)
    many += "A:\r\n";
  CHECK(status_of(many + "\r\n", HeadLimits{4096, 65536, 1000}) == "431 too_many_fields");
}

TEST_CASE("http/message/head: a head that comes octet by octet costs no more than at once") {
  // A megabyte of head: to look at it all again for each octet would be 500 thousand million.
  const HeadLimits limits{1 << 20, 1 << 20, 100};
  std::string text = "GET /";
  text.append((1 << 20) - 100, 'x');
  text += " HTTP/1.1\r\n\r\n";
  RequestReader reader(limits);
  Step step = Step::more;
  for (size_t size = 1; size <= text.size() && step == Step::more; ++size)
    step = reader.read(std::string_view(text).substr(0, size));
  CHECK(step == Step::done);
  CHECK(reader.length() == text.size());
}

}  // namespace
}  // namespace postern::http
