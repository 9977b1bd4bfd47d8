// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/gopher.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::http;  // NOLINT(google-build-using-namespace)

namespace {

std::string sent(std::string_view path) {
  const std::optional<GopherPath> parsed = parse_gopher_path(path);
  return parsed ? std::string(1, parsed->type) + parsed->line() : "refused";
}

std::string text_of(std::string_view octets, size_t piece) {
  GopherText text;
  std::string out;
  for (; !octets.empty(); octets.remove_prefix(std::min(piece, octets.size())))
    text.feed(octets.substr(0, piece), out);
  return out;
}

}  // namespace

TEST_CASE("http/gateway/gopher: a URL is an item type, a selector and perhaps a search", "[F56]") {
  CHECK(sent("") == "1\r\n");
  CHECK(sent("/") == "1\r\n");
  CHECK(sent("/1") == "1\r\n");
  CHECK(sent("/0/docs/a%20b?c") == "0/docs/a b?c\r\n");
  CHECK(sent("/7find%09two%20words") == "7find\ttwo words\r\n");
  CHECK(sent("/7find?q=two+words&x=1") == "7find\ttwo words\r\n");
  CHECK(sent("/7find?two%20words") == "7find\ttwo words\r\n");
  CHECK(parse_gopher_path("/7find")->wants_form());
  CHECK_FALSE(parse_gopher_path("/7find")->is_menu());
  for (const std::string& path :
       {std::string("/0a%0d%0ab"), std::string("/0a%00"), std::string("/0a%09b"),
        std::string("/0%"), std::string("/7a%09b%09+"), std::string("/7a?q=%0a"),
        std::string("/%20a"), std::string("/%E4a"), "/0" + std::string(3000, 'a')}) {
    CAPTURE(path);
    CHECK(sent(path) == "refused");
  }
}

TEST_CASE("http/gateway/gopher: lines of menus are read, or have no host", "[F56]") {
  const GopherItem item = parse_gopher_line("0A text\t/a b\tgopher.example\t7070\t+");
  CHECK(item.type == '0');
  CHECK(item.display == "A text");
  CHECK(item.selector == "/a b");
  CHECK(item.host == "gopher.example");
  CHECK(item.port == 7070);
  CHECK(parse_gopher_line("1x\t\th").port == 70);
  CHECK(parse_gopher_line("").type == 0);
  CHECK(parse_gopher_line(" a\tb\tc\t70").type == 0);
  for (const char* line : {"0a", "0a\tb", "0a\tb\t", "0a\tb\t\t70", "0a\tb\th\t0",
                           "0a\tb\th\t70000", "0a\tb\th\tx", "0a\tb\th/\t70", "0a\tb\tu@h\t70",
                           "0a\tb\th\"\t70", "0a\tb\th:1\t70", "0a\tb\t127.1\t70"}) {
    CAPTURE(line);
    CHECK(parse_gopher_line(line).host.empty());
  }
}

TEST_CASE("http/gateway/gopher: a menu becomes a page in which nothing runs", "[F56]") {
  GopherMenu menu;
  std::string out;
  GopherMenu::begin(out, "gopher://h/<1>");
  menu.feed("iWelcome <b>\tfake\t(NULL)\t0\r\n0Text & more\t/a \"b\tH.example\t70\r\n1Me", out);
  menu.feed("nu\t'&#%\th.example\t7070\r\n&odd\tx\th.example\t70\r\n", out);
  menu.feed("hWeb\tURL:http://w.example/?a=1&b=\"2\th\t70\r\n", out);
  menu.feed("hBad\tURL:javascript:alert(1)\th\t70\r\n8Host\t\th\t23\r\n.\r\n0After\tx\th\t70\r\n",
            out);
  menu.end(out);
  CHECK(out.find("<b>") == std::string::npos);
  CHECK(out.find("Welcome &#60;b&#62;") != std::string::npos);
  CHECK(out.find("href=\"gopher://h.example/0%2Fa%20%22b\">Text &#38; more</a>") !=
        std::string::npos);
  CHECK(out.find("href=\"gopher://h.example:7070/1%27%26%23%25\">Menu</a>") != std::string::npos);
  CHECK(out.find("href=\"gopher://h.example/%26x\">odd</a>") != std::string::npos);
  CHECK(out.find("href=\"http://w.example/?a=1&#38;b=&#34;2\"") != std::string::npos);
  CHECK(out.find("javascript") == std::string::npos);
  CHECK(out.find("After") == std::string::npos);
  CHECK(out.ends_with("</html>\n"));
}

TEST_CASE("http/gateway/gopher: a menu without end is cut, and the page says so", "[F56]") {
  GopherMenu menu;
  std::string out;
  const std::string line = "0" + std::string(1000, 'x') + "\ta\th\t70\r\n";
  for (size_t fed = 0; fed < 2 * GopherMenu::kOctetsMax; fed += line.size()) {
    out.clear();
    menu.feed(line, out);
  }
  CHECK(out.empty());
  menu.end(out);
  CHECK(out.find("There is more") != std::string::npos);
}

TEST_CASE("http/gateway/gopher: a text ends at the dot, and dots in front are one less", "[F56]") {
  struct Case {
    std::string_view octets;
    std::string_view text;
  };
  for (const Case& one : std::vector<Case>{
           {"a\r\nb\r\n.\r\n", "a\r\nb\r\n"},
           {"a\n.\nb", "a\n"},
           {"..a\r\n...\r\n.\r\n", ".a\r\n..\r\n"},
           {".a\r\n", ".a\r\n"},
           {"a.\r\n.b\r\n", "a.\r\n.b\r\n"},
           {".\rx\r\n", ".\rx\r\n"},
           {"no end", "no end"},
           {"a\r\n.", "a\r\n"},
           {"", ""},
       }) {
    CAPTURE(one.octets);
    CHECK(text_of(one.octets, 1) == one.text);
    CHECK(text_of(one.octets, 1000) == one.text);
  }
}
