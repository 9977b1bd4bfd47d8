// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/lines.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace postern::mail {
namespace {

using namespace std::string_view_literals;

std::string text_of(const LineReader::Piece& piece) {
  switch (piece.step) {
    case LineStep::more:
      return "";
    case LineStep::line:
      return std::string(piece.line) + '|';
    case LineStep::too_long:
      return "TOO LONG|";
    case LineStep::bare_cr:
      return "BARE CR";
    case LineStep::bare_lf:
      return "BARE LF";
    case LineStep::nul:
      return "NUL";
    case LineStep::endless:
      return "ENDLESS";
  }
  return "";
}

// All steps of the octets, which come in parts that end at `cuts`.
std::string read(LineReader& reader, std::string_view octets) {
  std::string out;
  while (!octets.empty()) {
    const LineReader::Piece piece = reader.feed(octets);
    out += text_of(piece);
    if (is_fault(piece.step)) break;
    octets.remove_prefix(piece.taken);
  }
  return out;
}

// The same at once, octet by octet and in two parts cut anywhere.
std::string read_everyhow(std::string_view octets, size_t line_max) {
  LineReader whole(line_max);
  const std::string expected = read(whole, octets);
  LineReader single(line_max);
  std::string got;
  for (const char octet : octets) {
    got += read(single, {&octet, 1});
    if (got.ends_with("BARE CR") || got.ends_with("BARE LF") || got.ends_with("NUL")) break;
  }
  CHECK(got == expected);
  for (size_t cut = 1; cut < octets.size(); ++cut) {
    LineReader reader(line_max);
    std::string parts = read(reader, octets.substr(0, cut));
    if (parts != expected) parts += read(reader, octets.substr(cut));
    CHECK(parts == expected);
  }
  return expected;
}

TEST_CASE("mail/message/lines: CRLF ends a line and nothing else does", "[RFC5321-2.3.8]") {
  CHECK(read_everyhow("NOOP\r\nQUIT\r\n", 512) == "NOOP|QUIT|");
  CHECK(read_everyhow("\r\n\r\nA\r\n", 512) == "||A|");
  CHECK(read_everyhow("A\nB\r\n", 512) == "BARE LF");
  CHECK(read_everyhow("A\r\nB\rC\r\n", 512) == "A|BARE CR");
  CHECK(read_everyhow("A\r\r\n", 512) == "BARE CR");
  CHECK(read_everyhow("\n", 512) == "BARE LF");
  CHECK(read_everyhow("A\0B\r\n"sv, 512) == "NUL");
  CHECK(read_everyhow("A\r\nNOO", 512) == "A|");
}

TEST_CASE("mail/message/lines: a line that is too long is told once and the next is sound",
          "[RFC5321-4.5.3.1]") {
  CHECK(read_everyhow("12345678\r\nAB\r\n", 10) == "12345678|AB|");
  CHECK(read_everyhow("123456789\r\nAB\r\n", 10) == "TOO LONG|AB|");
  CHECK(read_everyhow("123456789012345678901234567890\r\nAB\r\n", 10) == "TOO LONG|AB|");
}

TEST_CASE("mail/message/lines: an endless line ends the reading in bounded memory") {
  LineReader reader(512);
  const std::string part(1000, 'x');
  LineStep step = LineStep::more;
  size_t taken = 0;
  while (step == LineStep::more && taken < 1000000) {
    step = reader.feed(part).step;
    taken += part.size();
  }
  CHECK(step == LineStep::endless);
  CHECK(taken <= kSkipMax + 2000);
  CHECK(reader.feed("A\r\n").step == LineStep::endless);
  CHECK(reader.feed("A\r\n").taken == 0);
}

TEST_CASE("mail/message/lines: a restart forgets what had begun") {
  LineReader reader(512);
  reader.feed("RSE");
  CHECK(reader.has_begun());
  reader.restart();
  CHECK(!reader.has_begun());
  CHECK(read(reader, "NOOP\r\n") == "NOOP|");
}

}  // namespace
}  // namespace postern::mail
