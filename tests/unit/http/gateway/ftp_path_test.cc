// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/ftp_path.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "services/http/gateway/content_type.h"
#include "services/http/gateway/text.h"

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::http;  // NOLINT(google-build-using-namespace)

namespace {

// "a>b>" is the folder a, then b; what stands last is the file.
std::string shown(std::string_view path) {
  const std::optional<FtpPath> parsed = parse_ftp_path(path);
  if (!parsed) return "refused";
  std::string text;
  for (const std::string& folder : parsed->folders)
    text += folder + ">";
  return text + parsed->name + (parsed->type == 'i' ? "" : std::string(" as ") + parsed->type);
}

}  // namespace

TEST_CASE("http/gateway/ftp_path: a path is folders and a file", "[F56]") {
  CHECK(shown("").empty());
  CHECK(shown("/").empty());
  CHECK(shown("/a") == "a");
  CHECK(shown("/a/b/c%20d;type=i") == "a>b>c d");
  CHECK(shown("/a/b/") == "a>b>");
  CHECK(shown("/a;TYPE=A") == "a as a");
  CHECK(shown("/a/b;type=d") == "a>b> as d");
  CHECK(shown("/%2Fetc/motd") == "/etc>motd");
  CHECK(shown("//etc/motd") == "/>etc>motd");
  CHECK(shown("/a//b/./c") == "a>b>c");
  CHECK(shown("/a/.") == "a>");
  CHECK(shown("/a;b/c;d") == "a;b>c;d");
  CHECK(shown("/a?b") == "a?b");
  CHECK(shown("/gr%C3%BC%FF") == "gr\xc3\xbc\xff");
  CHECK(shown("/...") == "...");
}

TEST_CASE("http/gateway/ftp_path: what could be a command or lead up is refused", "[F56]") {
  std::string deep;
  for (size_t i = 0; i <= FtpPath::kFoldersMax; ++i)
    deep += "/a";
  for (const std::string& path :
       {std::string("/a%0d%0aDELE%20b"), std::string("/a%0A"), std::string("/%00"),
        std::string("/a%7f"), std::string("/.."), std::string("/../a"), std::string("/a/%2e%2E/b"),
        std::string("/a%2F..%2Fb"), std::string("/a%5C..%5Cb"), std::string("/a%"),
        std::string("/a%2"), std::string("/a%zz"), std::string("/a;type=x"),
        std::string("/a;type=%61"), deep + "/b"}) {
    CAPTURE(path);
    const bool is_name = path == "/a;type=%61";  // no type: the name has a ';'
    CHECK((shown(path) == "refused") != is_name);
  }
}

TEST_CASE("http/gateway/ftp_path: users and passwords are sent whole or not at all", "[F56]") {
  CHECK(parse_ftp_user("")->is_anonymous);
  CHECK(parse_ftp_user("")->user == "anonymous");
  const std::optional<FtpLogin> both = parse_ftp_user("a%40b:c%3Ad:e");
  REQUIRE(both);
  CHECK(both->user == "a@b");
  CHECK(both->password == "c:d:e");
  CHECK_FALSE(both->is_anonymous);
  CHECK(parse_ftp_user("a")->password.empty());
  for (const char* user : {":b", "a%0d%0aDELE x:b", "a:b%0a", "a%:b", "a%00:b", "a:%7f"})
    CHECK_FALSE(parse_ftp_user(user));
  CHECK_FALSE(make_ftp_login("a\r\nDELE x", "b"));
  CHECK(ftp_command("CWD", "a\xff") == "CWD a\xff\xff\r\n");
  CHECK(ftp_command("EPSV") == "EPSV\r\n");
}

TEST_CASE("http/gateway/text: types by suffix, sizes for people", "[F56]") {
  CHECK(content_type_of("a.TXT") == "text/plain");
  CHECK(content_type_of("a.tar.gz") == "application/gzip");
  CHECK(content_type_of("README") == "text/plain");
  CHECK(content_type_of("a.") == "application/octet-stream");
  CHECK(content_type_of("a") == "application/octet-stream");
  CHECK(content_type_of("") == "application/octet-stream");
  CHECK(size_text(0) == "0");
  CHECK(size_text(1023) == "1023");
  CHECK(size_text(1536) == "1.5 k");
  CHECK(size_text(uint64_t{3} << 40) == "3.0 T");
  CHECK(form_decoded("a+b%2Bc") == "a b+c");
  std::string html;
  append_html(html,
              "a\x01\x7f\xc2\x85"
              "b\xe2\x82\xac");
  CHECK(html.find('\x01') == std::string::npos);
}
