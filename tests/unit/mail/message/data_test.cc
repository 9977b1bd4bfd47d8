// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/data.h"

#include <catch2/catch.hpp>
#include <string>

namespace postern::mail {
namespace {

using namespace std::string_view_literals;

struct Outcome {
  std::string text;
  std::string rest;
  bool is_done = false;
  DataFault fault = DataFault::none;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void feed(DataDecoder& decoder, std::string_view octets, Outcome& out) {
  while (!octets.empty() && !decoder.is_done()) {
    const DataDecoder::Piece piece = decoder.feed(octets);
    out.text += piece.text;
    octets.remove_prefix(piece.taken);
  }
  out.rest += octets;
  out.is_done = decoder.is_done();
  out.fault = decoder.fault();
  // What came before the fault is not kept, and how much of it was told depends on the cuts.
  if (out.fault != DataFault::none) out.text.clear();
}

// At once, octet by octet, and cut in three parts in all ways.
Outcome decode(std::string_view wire, size_t line_max = 1000,
               DataStrictness strictness = DataStrictness::refuse) {
  Outcome whole;
  DataDecoder decoder(line_max, strictness);
  feed(decoder, wire, whole);
  Outcome single;
  DataDecoder slow(line_max, strictness);
  for (size_t i = 0; i < wire.size(); ++i)
    feed(slow, wire.substr(i, 1), single);
  CHECK(single == whole);
  for (size_t first = 0; first < wire.size(); ++first) {
    for (size_t second = first; second < wire.size(); ++second) {
      Outcome parts;
      DataDecoder cut(line_max, strictness);
      feed(cut, wire.substr(0, first), parts);
      feed(cut, wire.substr(first, second - first), parts);
      feed(cut, wire.substr(second), parts);
      if (parts != whole) FAIL_CHECK("cut at " << first << " and " << second);
    }
  }
  return whole;
}

TEST_CASE("mail/message/data: CRLF.CRLF ends the text, and dots are unstuffed wherever it is cut",
          "[RFC5321-4.5.2]") {
  CHECK(decode("a\r\nb\r\n.\r\nQUIT\r\n") == Outcome{"a\r\nb\r\n", "QUIT\r\n", true, {}});
  CHECK(decode(".\r\nQ") == Outcome{"", "Q", true, {}});
  CHECK(decode("\r\n.\r\n") == Outcome{"\r\n", "", true, {}});
  CHECK(decode("..\r\n.\r\n") == Outcome{".\r\n", "", true, {}});
  CHECK(decode("...\r\n.\r\n") == Outcome{"..\r\n", "", true, {}});
  CHECK(decode("..a\r\n.\r\n") == Outcome{".a\r\n", "", true, {}});
  CHECK(decode(".a\r\n.\r\n") == Outcome{"a\r\n", "", true, {}});
  CHECK(decode("a.\r\n.\r\n") == Outcome{"a.\r\n", "", true, {}});
  CHECK(decode("a\r\n..\r\n.b\r\n..c\r\n\r\n.\r\n") ==
        Outcome{"a\r\n.\r\nb\r\n.c\r\n\r\n", "", true, {}});
  CHECK(decode("a\r\n. \r\n.\r\n") == Outcome{"a\r\n \r\n", "", true, {}});
  CHECK(decode("a\r\n.") == Outcome{"a\r\n", "", false, {}});
  CHECK(decode("a\r\n.\r") == Outcome{"a\r\n", "", false, {}});
  CHECK(decode("\xff\xfe\x80\x7f\x01\t\r\n.\r\n") ==
        Outcome{"\xff\xfe\x80\x7f\x01\t\r\n", "", true, {}});
}

struct Variant {
  std::string_view name;
  std::string_view end;
  DataFault fault;
  bool is_end = false;  // CRLF.CRLF is in it
};

// What one or the other server takes, or took, for the end of a message.
const Variant kVariants[] = {
    {"LF.LF", "\n.\n"sv, DataFault::bare_lf},
    {"LF.CRLF", "\n.\r\n"sv, DataFault::bare_lf},
    {"LF.CR", "\n.\r"sv, DataFault::bare_lf},
    {"CR.CR", "\r.\r"sv, DataFault::bare_cr},
    {"CR.LF", "\r.\n"sv, DataFault::bare_cr},
    {"CR.CRLF", "\r.\r\n"sv, DataFault::bare_cr},
    {"CRLF.LF", "\r\n.\n"sv, DataFault::bare_lf},
    {"CRLF.CR", "\r\n.\r"sv, DataFault::bare_cr},
    {"CRCRLF.CRLF", "\r\r\n.\r\n"sv, DataFault::bare_cr, true},
    {"CRLF.CRCRLF", "\r\n.\r\r\n"sv, DataFault::bare_cr},
    {"LFCR.LFCR", "\n\r.\n\r"sv, DataFault::bare_lf},
    {"LFLF.LFLF", "\n\n.\n\n"sv, DataFault::bare_lf},
    {"CRCR.CRCR", "\r\r.\r\r"sv, DataFault::bare_cr},
    {"CRLFCR.CRLF", "\r\n\r.\r\n"sv, DataFault::bare_cr},
    {"CRLFLF.CRLF", "\r\n\n.\r\n"sv, DataFault::bare_lf},
    {"CRLF NUL.CRLF", "\r\n\0.\r\n"sv, DataFault::nul},
    {"CRLF.NUL CRLF", "\r\n.\0\r\n"sv, DataFault::nul},
    {"NUL CRLF.CRLF", "\0\r\n.\r\n"sv, DataFault::nul, true},
    {"CR NUL LF.CRLF", "\r\0\n.\r\n"sv, DataFault::bare_cr},
    {"CRLF..CRLF", "\r\n..\r\n"sv, DataFault::none},
    {"CRLF. CRLF", "\r\n. \r\n"sv, DataFault::none},
    {"CRLF .CRLF", "\r\n .\r\n"sv, DataFault::none},
    {"CRLF.TAB CRLF", "\r\n.\t\r\n"sv, DataFault::none},
    {"VT.VT", "\v.\v"sv, DataFault::none},
    {"NEL.NEL", "\xc2\x85.\xc2\x85"sv, DataFault::none},
    {"LS.LS", "\xe2\x80\xa8.\xe2\x80\xa8"sv, DataFault::none},
};

TEST_CASE("mail/message/data: no other end of data ends a message, and lone CR, LF, NUL are faults",
          "[RFC5321-4.1.1.4][RFC5321-2.3.8]") {
  for (const Variant& variant : kVariants) {
    INFO(variant.name);
    const std::string smuggled = "MAIL FROM:<x@a.x>\r\n.\r\n";
    const Outcome outcome = decode("a" + std::string(variant.end) + smuggled);
    CHECK(outcome.is_done);
    CHECK(outcome.fault == variant.fault);
    // Where the true end stands in it the message ends there; but it is refused.
    CHECK(outcome.rest == (variant.is_end ? smuggled : ""));
    CHECK((outcome.text.find("MAIL") != std::string::npos) == (variant.fault == DataFault::none));
  }
}

TEST_CASE("mail/message/data: from mailboxes of others lone CR and LF become ends of lines") {
  const auto repair = DataStrictness::repair;
  CHECK(decode("a\nb\rc\0d\r\n.\r\n"sv, 8, repair) == Outcome{"a\r\nb\r\ncd\r\n", "", true, {}});
  CHECK(decode("a\n.\nb\r\n.\r\n", 8, repair) == Outcome{"a\r\n.\r\nb\r\n", "", true, {}});
  CHECK(decode("a\r\n.\rb\r\r\n.\r\n", 8, repair) == Outcome{"a\r\n\r\nb\r\n\r\n", "", true, {}});
  for (const Variant& variant : kVariants) {
    INFO(variant.name);
    const Outcome outcome = decode("a" + std::string(variant.end) + "b\r\n.\r\n", 1000, repair);
    CHECK(outcome.is_done);
    CHECK(outcome.fault == DataFault::none);
    CHECK(outcome.rest == (variant.is_end ? "b\r\n.\r\n" : ""));
    DataEncoder encoder;
    std::string wire;
    CHECK(encoder.feed(outcome.text, wire));
    CHECK(encoder.finish(wire));
  }
}

TEST_CASE("mail/message/data: lines are bounded", "[RFC5321-4.5.3.1]") {
  CHECK(decode("12345678\r\n.\r\n", 10).fault == DataFault::none);
  CHECK(decode("123456789\r\n.\r\n", 10).fault == DataFault::long_line);
  CHECK(decode("..345678\r\n.\r\n", 10).fault == DataFault::none);
  CHECK(decode("..3456789\r\n.\r\n", 10).fault == DataFault::long_line);
  CHECK(decode("1234567890123456789012345", 10).fault == DataFault::long_line);
}

std::string encode(std::string_view text, size_t cut) {
  DataEncoder encoder;
  std::string out;
  if (!encoder.feed(text.substr(0, cut), out) || !encoder.feed(text.substr(cut), out) ||
      !encoder.finish(out)) {
    return "fault";
  }
  return out;
}

TEST_CASE("mail/message/data: what is sent out has one end only and is read again as it was",
          "[RFC5321-4.5.2]") {
  for (const std::string_view text :
       {"a\r\n"sv, ".\r\n"sv, "..\r\n.\r\n"sv, "a\r\n.b\r\n\r\n.\r\n"sv, ""sv, "\r\n"sv}) {
    for (size_t cut = 0; cut <= text.size(); ++cut) {
      const std::string wire = encode(text, cut);
      CHECK(decode(wire) == Outcome{std::string(text), "", true, {}});
    }
  }
  CHECK(encode("a", 0) == "a\r\n.\r\n");
  CHECK(encode(".", 1) == "..\r\n.\r\n");
}

TEST_CASE("mail/message/data: a lone CR, LF or NUL never goes out", "[RFC5321-2.3.8]") {
  for (const std::string_view text : {"a\n.\r\n"sv, "a\r.\r\n"sv, "a\r"sv, "\n"sv, "\r\r\n"sv,
                                      "\0"sv, "a\r\n.\n"sv, "a\r\n.\r"sv}) {
    for (size_t cut = 0; cut <= text.size(); ++cut)
      CHECK(encode(text, cut) == "fault");
  }
}

}  // namespace
}  // namespace postern::mail
