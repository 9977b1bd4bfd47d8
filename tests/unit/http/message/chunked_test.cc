// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/chunked.h"

#include <catch2/catch.hpp>
#include <string>

namespace postern::http {
namespace {

using namespace std::string_view_literals;

struct Decoded {
  std::string data;
  std::string verdict = "more";  // "ok", or the word of the refusal
  size_t taken = 0;
};

// In pieces of `step` octets, each in memory of its own.
Decoded decode(std::string_view text, size_t step, ChunkedDecoder& decoder) {
  Decoded decoded;
  ChunkedDecoder::Piece piece;
  for (size_t at = 0; at < text.size() && piece.step == Step::more; at += step) {
    const std::string part(text.substr(at, step));
    std::string_view rest = part;
    while (!rest.empty() && piece.step == Step::more) {
      piece = decoder.feed(rest);
      decoded.data += piece.data;
      decoded.taken += piece.taken;
      rest.remove_prefix(piece.taken);
    }
  }
  if (piece.step == Step::done) decoded.verdict = "ok";
  if (piece.step == Step::refused) decoded.verdict = decoder.refusal().reason;
  return decoded;
}

Decoded decode(std::string_view text, size_t step) {
  ChunkedDecoder decoder;
  return decode(text, step, decoder);
}

struct Row {
  std::string_view text;
  std::string_view verdict;
  std::string_view data = {};
};

constexpr Row kBodies[] = {
    {"0\r\n\r\n", "ok"},
    {"5\r\nhello\r\n0\r\n\r\n", "ok", "hello"},
    {"5\r\nhello\r\nA\r\n, world!!!\r\n0\r\n\r\n", "ok", "hello, world!!!"},
    {"00000005\r\nhello\r\n000\r\n\r\n", "ok", "hello"},
    {"5;a=b;c=\"d;e\"\r\nhello\r\n0;x\r\n\r\n", "ok", "hello"},
    {"5 \t;a\r\nhello\r\n0\r\n\r\n", "ok", "hello"},
    {"2\r\n\r\n\r\n0\r\n\r\n", "ok", "\r\n"},
    {"0\r\nExpires: now\r\nX:\r\n\r\n", "ok"},
    {"5\r\nhello\r\n", "more", "hello"},
    {"5\r\nhel", "more", "hel"},
    {"", "more"},
    // Sizes.
    {"\r\n", "chunk_size"},
    {";a\r\n", "chunk_size"},
    {" 5\r\nhello\r\n0\r\n\r\n", "chunk_size"},
    {"5 \r\nhello\r\n0\r\n\r\n", "chunk_size"},
    {"5\t\r\nhello\r\n0\r\n\r\n", "chunk_size"},
    {"+5\r\nhello\r\n0\r\n\r\n", "chunk_size"},
    {"-5\r\nhello\r\n0\r\n\r\n", "chunk_size"},
    {"0x5\r\nhello\r\n0\r\n\r\n", "chunk_size"},
    {"5h\r\nhello\r\n0\r\n\r\n", "chunk_size"},
    {"5,5\r\nhello\r\n0\r\n\r\n", "chunk_size"},
    {"5 5\r\nhello\r\n0\r\n\r\n", "chunk_size"},
    {"5_0\r\nhello", "chunk_size"},
    {"\x0b"
     "5\r\nhello",
     "chunk_size"},
    {"5\0\r\nhello"sv, "chunk_size"},
    {"7fffffffffffffff\r\nhello", "more", "hello"},
    {"8000000000000000\r\nhello", "chunk_size"},
    {"ffffffffffffffff\r\nhello", "chunk_size"},
    {"10000000000000005\r\nhello", "chunk_size"},
    {"000000000000000000000000000000005\r\nhello", "chunk_size"},
    // Ends of lines.
    {"5\nhello\r\n0\r\n\r\n", "chunk_size"},
    {"5\r\rhello", "chunk_line_end"},
    {"5\rhello", "chunk_line_end"},
    {"5\r\nhello0\r\n\r\n", "chunk_line_end", "hello"},
    {"5\r\nhello\n0\r\n\r\n", "chunk_line_end", "hello"},
    {"5\r\nhello\r0\r\n\r\n", "chunk_line_end", "hello"},
    {"5\r\nhello!\r\n0\r\n\r\n", "chunk_line_end", "hello"},
    {"4\r\nhello\r\n0\r\n\r\n", "chunk_line_end", "hell"},
    {"6\r\nhello\r\n0\r\n\r\n", "chunk_line_end", "hello\r"},
    {"0\r\n\n", "bare_lf"},
    {"0\r\n\rx", "chunk_line_end"},
    {"0\n\r\n", "chunk_size"},
    // Extensions: a LF in one ends the line for some.
    {"5;a\nx\r\nhello", "chunk_extension"},
    {"5;\n", "chunk_extension"},
    {"5;a\rx\r\nhello", "chunk_line_end"},
    {"5;\0\r\nhello"sv, "chunk_extension"},
    {"5;a=\"\x7f\"\r\nhello", "chunk_extension"},
    // Trailers.
    {"0\r\nA: b\nC: d\r\n\r\n", "bare_lf"},
    {"0\r\nA: b\rC: d\r\n\r\n", "chunk_line_end"},
    {"0\r\nA : b\r\n\r\n", "space_before_colon"},
    {"0\r\n A: b\r\n\r\n", "folded_line"},
    {"0\r\nA: \x01\r\n\r\n", "control_octet"},
    {"0\r\nGET / HTTP/1.1\r\n\r\n", "space_before_colon"},
};

TEST_CASE("http/message/chunked: bodies are decoded, or refused with a word", "[RFC9112-7.1]") {
  for (const Row& row : kBodies) {
    INFO(row.text);
    const Decoded decoded = decode(row.text, 1000);
    CHECK(decoded.verdict == row.verdict);
    CHECK(decoded.data == row.data);
    CHECK((row.verdict != "ok" || decoded.taken == row.text.size()));
  }
}

TEST_CASE("http/message/chunked: however the octets come the body is the same", "[RFC9112-7.1]") {
  for (const Row& row : kBodies) {
    for (const size_t step : {1U, 2U, 3U, 7U}) {
      INFO(row.text << " by " << step);
      const Decoded decoded = decode(row.text, step);
      CHECK(decoded.verdict == row.verdict);
      CHECK(decoded.data == row.data);
      CHECK(decoded.taken == decode(row.text, 1000).taken);
    }
  }
}

TEST_CASE("http/message/chunked: data are views into what was fed") {
  const std::string octets = "5\r\nhello\r\n0\r\n\r\n";
  ChunkedDecoder decoder;
  const auto piece = decoder.feed(octets);
  CHECK(piece.data.data() == octets.data() + 3);
  CHECK(piece.taken == 8);
  CHECK(piece.step == Step::more);
}

TEST_CASE("http/message/chunked: what follows the body is left where it is", "[RFC9112-7.1.2]") {
  ChunkedDecoder decoder;
  const std::string_view octets = "0\r\nA: b\r\n\r\nGET / HTTP/1.1\r\n";
  auto piece = decoder.feed(octets);
  CHECK(piece.step == Step::done);
  CHECK(piece.taken == 11);
  REQUIRE(decoder.trailer().size() == 1);
  CHECK(decoder.trailer().find("a") == "b");
  piece = decoder.feed(octets.substr(11));
  CHECK(piece.step == Step::done);
  CHECK(piece.taken == 0);
  decoder.restart();
  CHECK(decoder.trailer().size() == 0);
  CHECK(decode("1\r\nx\r\n0\r\n\r\n", 100, decoder).data == "x");
}

TEST_CASE("http/message/chunked: extensions and trailers have their limits",
          "[RFC9112-7.1.1][RFC9112-7.1.2]") {
  const std::string full = "1;" + std::string(kExtensionsMax - 1, 'x') + "\r\ny\r\n";
  CHECK(decode(full + "0\r\n\r\n", 1000).verdict == "ok");
  CHECK(decode(full + "0;\r\n\r\n", 1000).verdict == "chunk_extensions");
  const std::string line = "A:" + std::string(kTrailerMax - 4, 'x') + "\r\n";
  CHECK(decode("0\r\n" + line + "\r\n", 1000).verdict == "ok");
  CHECK(decode("0\r\nB" + line + "\r\n", 1000).verdict == "trailer_too_large");
  std::string many = "0\r\n";
  for (size_t i = 0; i < kTrailerFieldsMax; ++i)
    many += "A:\r\n";
  CHECK(decode(many + "\r\n", 1000).verdict == "ok");
  CHECK(decode(many + "A:\r\n\r\n", 1000).verdict == "too_many_fields");
  CHECK(decode("0\r\n" + line + line, 1000).verdict == "trailer_too_large");
}

TEST_CASE("http/message/chunked: what we write is what we read", "[RFC9112-7.1]") {
  CHECK(ChunkHeader(1).text() == "1\r\n");
  CHECK(ChunkHeader(0x1a0).text() == "1a0\r\n");
  CHECK(ChunkHeader(UINT64_MAX).text() == "ffffffffffffffff\r\n");
  std::string out;
  std::string data;
  for (size_t size = 1; size < 300; size += 13) {
    const std::string part(size, static_cast<char>('a' + size % 26));
    out += ChunkHeader(size).text();
    out += part;
    out += kChunkEnd;
    data += part;
  }
  out += kLastChunk;
  CHECK(decode(out, 17).data == data);
  CHECK(decode(out, 17).verdict == "ok");
}

}  // namespace
}  // namespace postern::http
