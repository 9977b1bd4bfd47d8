// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/ftp_reply.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::http;  // NOLINT(google-build-using-namespace)

namespace {

struct Read {
  Step step = Step::more;
  int code = 0;
  std::string text;
  std::string left;
};

Read read_all(std::string_view octets) {
  FtpReplyReader reader;
  Read read;
  read.step = reader.feed(octets);
  read.code = reader.reply().code;
  read.text = reader.reply().text;
  read.left = octets;
  return read;
}

}  // namespace

TEST_CASE("http/gateway/ftp_reply: replies of one line and of several are read", "[F56]") {
  struct Case {
    std::string octets;
    int code;
    std::string text;
    std::string left;
  };
  const std::vector<Case> cases = {
      {"220 Ready.\r\n", 220, "Ready.", ""},
      {"220 Ready.\n", 220, "Ready.", ""},
      {"226\r\n", 226, "", ""},
      {"220 a\r\n331 b\r\n", 220, "a", "331 b\r\n"},
      {"211-Features:\r\n MLST size*;\r\n211 End\r\n", 211, "Features:\n MLST size*;\nEnd", ""},
      // What stands between may begin like a reply.
      {"230-a\r\n226 not the end\r\n230-b\r\n230x\r\n230 c\r\n", 230,
       "a\n226 not the end\n230-b\n230x\nc", ""},
      {"230-a\r\n\r\n230 b\r\n", 230, "a\n\nb", ""},
  };
  for (const Case& one : cases) {
    CAPTURE(one.octets);
    const Read read = read_all(one.octets);
    CHECK(read.step == Step::done);
    CHECK(read.code == one.code);
    CHECK(read.text == one.text);
    CHECK(read.left == one.left);
  }
}

TEST_CASE("http/gateway/ftp_reply: a reply in pieces is the same reply", "[F56]") {
  const std::string octets = "211-Features:\r\n MDTM\r\n211 End\r\n";
  FtpReplyReader reader;
  for (size_t i = 0; i < octets.size(); ++i) {
    std::string_view octet = std::string_view(octets).substr(i, 1);
    CHECK((reader.feed(octet) == Step::done) == (i + 1 == octets.size()));
  }
  CHECK(reader.reply().text == "Features:\n MDTM\nEnd");
  std::string_view next = "200 Well.\r\n";
  CHECK(reader.feed(next) == Step::done);
  CHECK(reader.reply().code == 200);
  CHECK(reader.reply().brief() == "200 Well.");
}

TEST_CASE("http/gateway/ftp_reply: what is no reply is refused", "[F56]") {
  for (const char* octets :
       {"HTTP/1.1 400 Bad Request\r\n", "\r\n", "22 Ready\r\n", "2200 Ready\r\n", "99 a\r\n",
        "099 a\r\n", "600 a\r\n", "220.a\r\n", " 220 a\r\n", "+OK\r\n", "SSH-2.0-x\r\n"}) {
    CAPTURE(octets);
    CHECK(read_all(octets).step == Step::refused);
  }
  CHECK(read_all(std::string(FtpReplyReader::kLineMax + 1, 'a')).step == Step::refused);
  std::string endless = "220-a\r\n";
  for (size_t i = 0; i <= FtpReplyReader::kLinesMax; ++i)
    endless += "220-a\r\n";
  CHECK(read_all(endless).step == Step::refused);
  // No more is kept of a long one than the bound.
  std::string wide = "220-a\r\n";
  for (int i = 0; i < 100; ++i)
    wide += std::string(2000, 'x') + "\r\n";
  const Read read = read_all(wide + "220 z\r\n");
  CHECK(read.step == Step::done);
  CHECK(read.text.size() <= FtpReplyReader::kTextMax);
}

TEST_CASE("http/gateway/ftp_reply: the port of a passive answer is read, or none is", "[F56]") {
  CHECK(parse_epsv("Entering Extended Passive Mode (|||6446|)") == 6446);
  CHECK(parse_epsv("(!!!65535!)") == 65535);
  CHECK(parse_epsv("ok (|||1|) see") == 1);
  for (const char* text :
       {"", "6446", "()", "(||||)", "(|||0|)", "(|||65536|)", "(|||-1|)", "(|||6446)", "(||6446|)",
        "(|1|127.0.0.1|6446|)", "(|||6446|", "(000644600)", "(||!6446|)", "(||| 6446|)",
        "(|||99999999999999999999|)"}) {
    CAPTURE(text);
    const bool is_open = std::string_view(text) == "(|||6446|";  // nothing is missing but the ")"
    CHECK(parse_epsv(text).has_value() == is_open);
  }
  CHECK(parse_pasv("Entering Passive Mode (10,0,0,1,25,46)") == 25 * 256 + 46);
  CHECK(parse_pasv("=127,0,0,1,0,80") == 80);
  CHECK(parse_pasv("h1,1,2,3,4,5,6") == 4 * 256 + 5);
  for (const char* text :
       {"", "Passive", "(1,2,3,4,5)", "(1,2,3,4,5,)", "(1,2,3,4,5,256)", "(1,2,3,4,0,0)",
        "(256,2,3,4,5,6)", "(1.2.3.4,5,6)", "(1, 2,3,4,5,6)", "(1,,3,4,5,6)", "(-1,2,3,4,5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_pasv(text));
  }
}

TEST_CASE("http/gateway/ftp_reply: sizes and times are read, or none is", "[F56]") {
  CHECK(parse_ftp_size("0") == 0);
  CHECK(parse_ftp_size(" 9223372036854775807 ") == 9223372036854775807ULL);
  for (const char* text : {"", "-1", "+1", "1 2", "9223372036854775808", "0x1", "1e3", "1,000"})
    CHECK_FALSE(parse_ftp_size(text));
  CHECK(parse_ftp_time("19700101000000") == 0);
  CHECK(parse_ftp_time("20260131154501.123") == 1769874301);
  CHECK(parse_ftp_time("20240229000000") == 1709164800);
  for (const char* text :
       {"", "2026013115450", "20260132154501", "20230229000000", "20260131246001", "20260131156000",
        "191000131154501", "20260131154501.", "20260131154501x", "2026-01-31 15:4"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_ftp_time(text));
  }
}
