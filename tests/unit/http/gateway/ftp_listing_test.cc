// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/ftp_listing.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "services/http/gateway/ftp_page.h"

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::http;  // NOLINT(google-build-using-namespace)

namespace {

using Kind = ListingEntry::Kind;

struct Case {
  std::string line;
  Kind kind;
  std::string name;
  int64_t octets;  // -1: none
  std::string date;
  std::string link = {};
};

void check(const std::vector<Case>& cases, ListingEntry (*parse)(std::string_view)) {
  for (const Case& one : cases) {
    CAPTURE(one.line);
    const ListingEntry entry = parse(one.line);
    CHECK(entry.kind == one.kind);
    if (one.kind == Kind::none) continue;
    CHECK(entry.name == one.name);
    CHECK((entry.octets ? static_cast<int64_t>(*entry.octets) : -1) == one.octets);
    CHECK(entry.date == one.date);
    CHECK(entry.link == one.link);
  }
}

}  // namespace

TEST_CASE("http/gateway/ftp_listing: lines of MLSD are read", "[F56]") {
  check(
      {
          {"type=file;size=12;modify=20260131154501; a.txt", Kind::file, "a.txt", 12,
           "2026-01-31 15:45"},
          {"Type=Dir;Size=4096;Modify=20260131154501.5; docs", Kind::folder, "docs", -1,
           "2026-01-31 15:45"},
          {" a.txt", Kind::file, "a.txt", -1, ""},
          {"size=1;  two spaces; and = ", Kind::file, " two spaces; and = ", 1, ""},
          {"type=OS.unix=slink:/x/y; z", Kind::file, "z", -1, "", "/x/y"},
          {"type=cdir;modify=20260131154501; .", Kind::none, "", -1, ""},
          {"type=pdir; ..", Kind::none, "", -1, ""},
          {"type=dir; ..", Kind::none, "", -1, ""},
          {"type=file;size=-1;modify=yesterday; a", Kind::file, "a", -1, ""},
          {"type=file;size=1 a", Kind::file, "a", 1, ""},
          // What is none is shown as it came.
          {"", Kind::text, "", -1, ""},
          {"type=file;size=1;a.txt", Kind::text, "type=file;size=1;a.txt", -1, ""},
          {"nothing; a", Kind::text, "nothing; a", -1, ""},
          {"type=file; /etc/passwd", Kind::text, "type=file; /etc/passwd", -1, ""},
          {"type=file; ", Kind::none, "", -1, ""},
      },
      parse_mlsd_line);
}

TEST_CASE("http/gateway/ftp_listing: lines of LIST as Unix has them are read", "[F56]") {
  check(
      {
          {"-rw-r--r--   1 ftp ftp         12 Jan 31 15:45 a.txt", Kind::file, "a.txt", 12,
           "Jan 31 15:45"},
          {"drwxr-xr-x   2 0    0        4096 Dec  1  2025 docs", Kind::folder, "docs", -1,
           "Dec 1 2025"},
          {"lrwxrwxrwx   1 a b  5 Jan  1  2025 b -> c/a.txt", Kind::file, "b", -1, "Jan 1 2025",
           "c/a.txt"},
          {"-rw-r--r--+  1 domain users a b 7 Jan 31 15:45 name with  spaces", Kind::file,
           "name with  spaces", 7, "Jan 31 15:45"},
          {"-rw-r--r--   1 ftp         12 Jan 31 15:45  lead", Kind::file, " lead", 12,
           "Jan 31 15:45"},
          {"-rw-rw-r-- 1 a b 9 2026-01-31 15:45 iso", Kind::file, "iso", 9, "2026-01-31 15:45"},
          {"-rw-rw-r-- 1 a b 9 31 Jan 2026 day", Kind::file, "day", 9, "31 Jan 2026"},
          {"brw-rw----   1 root disk   8,   0 Jan 31 15:45 sda", Kind::file, "sda", -1,
           "Jan 31 15:45"},
          {"drwxr-xr-x   2 0 0 4096 Dec  1  2025 .", Kind::none, "", -1, ""},
          {"drwxr-xr-x   2 0 0 4096 Dec  1  2025 ..", Kind::none, "", -1, ""},
          {"total 12", Kind::none, "", -1, ""},
          {"", Kind::none, "", -1, ""},
          {"total nonsense", Kind::text, "total nonsense", -1, ""},
          {"-rw-r--r--   1 ftp ftp 12 Jan 31 15:45", Kind::text,
           "-rw-r--r--   1 ftp ftp 12 Jan 31 15:45", -1, ""},
          {"-rw-r--r--   1 ftp ftp 12 Jan 31 15:45 ", Kind::text,
           "-rw-r--r--   1 ftp ftp 12 Jan 31 15:45 ", -1, ""},
          {"-rw-r--r-- 1 a b 9 Jan 31 15:45 /etc/x", Kind::text,
           "-rw-r--r-- 1 a b 9 Jan 31 15:45 /etc/x", -1, ""},
          {"drwx", Kind::text, "drwx", -1, ""},
          {"dr---------------------------", Kind::text, "dr---------------------------", -1, ""},
          {"Permission denied", Kind::text, "Permission denied", -1, ""},
      },
      parse_list_line);
}

TEST_CASE("http/gateway/ftp_listing: lines of LIST as DOS has them are read", "[F56]") {
  check(
      {
          {"01-31-26  03:45PM                   12 a.txt", Kind::file, "a.txt", 12,
           "01-31-26 03:45PM"},
          {"01-31-2026  03:45PM       <DIR>          my docs", Kind::folder, "my docs", -1,
           "01-31-2026 03:45PM"},
          {"01-31-26  03:45PM       <DIR>          .", Kind::none, "", -1, ""},
          {"01-31-26  03:45PM   twelve a.txt", Kind::text, "01-31-26  03:45PM   twelve a.txt", -1,
           ""},
          {"01-31-26  03:45PM", Kind::text, "01-31-26  03:45PM", -1, ""},
          {"01-31-26  quarter  12 a", Kind::text, "01-31-26  quarter  12 a", -1, ""},
          {"01-31-26", Kind::text, "01-31-26", -1, ""},
      },
      parse_list_line);
}

TEST_CASE("http/gateway/ftp_page: names are escaped in the page and encoded in links", "[F56]") {
  FtpPage page(true);
  std::string out;
  FtpPage::begin(out, "ftp://h/<b>", true);
  page.feed("type=file;size=2048; <script>alert('1')</script>;type=a\r\ntype=dir; \"&%\xe4\r\n",
            out);
  page.feed("type=file; gr\xc3\xbc\xc3\x9f\nhalf a li", out);
  page.feed("ne", out);
  page.end(out);
  CHECK(out.find("<b>") == std::string::npos);
  CHECK(out.find("<script>") == std::string::npos);
  CHECK(out.find("alert('") == std::string::npos);
  CHECK(out.find("href=\"../\"") != std::string::npos);
  CHECK(out.find("href=\"%3Cscript%3Ealert%28%271%27%29%3C%2Fscript%3E%3Btype%3Da\"") ==
        std::string::npos);  // it has a slash: it is text
  CHECK(out.find("<code>type=file;size=2048; &#60;script&#62;alert(&#39;1&#39;)") !=
        std::string::npos);
  CHECK(out.find("href=\"%22%26%25%E4/\">&#34;&#38;%&#228;/</a>") != std::string::npos);
  CHECK(out.find("href=\"gr%C3%BC%C3%9F\">gr\xc3\xbc\xc3\x9f</a>") != std::string::npos);
  CHECK(out.find("<code>half a line</code>") != std::string::npos);
  CHECK(out.ends_with("</html>\n"));
}

TEST_CASE("http/gateway/ftp_page: a listing without end is cut, and the page says so", "[F56]") {
  for (const size_t line_size : {size_t{20}, size_t{2000}, FtpPage::kLineMax + 1}) {
    FtpPage page(false);
    std::string line = "-rw-r--r-- 1 a b 9 Jan 31 15:45 ";
    line += std::string(line_size, 'x') + "\n";
    size_t fed = 0;
    size_t shown = 0;
    std::string out;
    while (fed < 2 * FtpPage::kOctetsMax) {
      page.feed(line, out);
      fed += line.size();
      shown += out.size();
      out.clear();
    }
    page.end(out);
    CHECK(out.find("There is more") != std::string::npos);
    CHECK(shown < 6 * FtpPage::kOctetsMax);
    CHECK((shown == 0) == (line_size > FtpPage::kLineMax));
  }
}
