// SPDX-License-Identifier: BSD-3-Clause
// Menus, texts and files from a Gopher server, through the proxy.
#include <catch2/catch.hpp>

#include "unit/http/gateway/ftp_server.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

TEST_CASE("http/gateway/gopher_fetch: menus, texts, files and searches are fetched", "[F56]") {
  GopherServer server([](const std::string& line) -> std::string {
    if (line.empty()) return "iHello\tx\tx\t0\r\n0Text\ta.txt\tgopher.example\t70\r\n.\r\n";
    if (line == "a.txt") return "one\r\n..two\r\n.\r\n";
    if (line == "a.png") return std::string("\x89PNG\r\n.\r\n\0x", 11);
    if (line == "find\ttwo words") return "1Found\tit\tgopher.example\t7070\r\n.\r\n";
    return "3No such thing <b>\terr\tx\t0\r\n.\r\n";
  });
  Bed bed;
  const std::string menu = bed.get(server.url("/"));
  CHECK(status_of(menu) == 200);
  CHECK(has(menu, "Content-Type: text/html; charset=utf-8\r\n"));
  CHECK(has(menu, "<a href=\"gopher://gopher.example/0a.txt\">Text</a>"));
  const std::string text = bed.get(server.url("/0a.txt"));
  CHECK(has(text, "Content-Type: text/plain\r\n"));
  CHECK(has(text, "one\r\n.two\r\n"));
  CHECK_FALSE(has(text, "..two"));
  const std::string image = bed.get(server.url("/Ia.png"));
  CHECK(has(image, "Content-Type: image/png\r\n"));
  CHECK(has(image, std::string("\x89PNG\r\n.\r\n\0x", 11)));
  CHECK(has(bed.get(server.url("/7find")), "<form method=\"get\">"));
  CHECK(has(bed.get(server.url("/7find?q=two+words")), "Found"));
  CHECK(has(bed.get(server.url("/7find%09two%20words")), "gopher://gopher.example:7070/1it"));
  const std::string none = bed.get(server.url("/1none"));
  CHECK(status_of(none) == 404);
  CHECK(has(none, "No such thing &#60;b&#62;"));
}

TEST_CASE("http/gateway/gopher_fetch: nothing but one line of ours reaches a server", "[F56]") {
  std::string seen;
  GopherServer server([&](const std::string& line) {
    seen = line;
    return "iHello\tx\tx\t0\r\n.\r\n";
  });
  Bed bed;
  for (const char* path :
       {"/0a%0d%0aHELO%20x", "/1%0a", "/0%00", "/7a%09b%09c", "/8telnet", "/2cso"}) {
    CAPTURE(path);
    CHECK(status_of(bed.get(server.url(path))) >= 400);
  }
  CHECK(seen.empty());
  CHECK(status_of(bed.get("gopher://127.0.0.1:25/0")) == 403);
  CHECK(status_of(bed.get("gopher://u@127.0.0.1/")) == 400);
}

TEST_CASE("http/gateway/gopher_fetch: menus are kept for a minute", "[F56]") {
  int asked = 0;
  GopherServer server([&](const std::string&) {
    ++asked;
    return "iHello\tx\tx\t0\r\n.\r\n";
  });
  Bed::Plan plan;
  plan.has_store = true;
  Bed bed(std::move(plan));
  CHECK(has(bed.get(server.url("/1x")), "stored"));
  CHECK(has(bed.get(server.url("/1x")), "hit"));
  CHECK(asked == 1);
}

TEST_CASE("http/gateway/gopher_fetch: an answer without an octet is empty", "[F56]") {
  GopherServer server([](const std::string&) { return std::string(); });
  Bed bed;
  CHECK(status_of(bed.get(server.url("/9a.zip"))) == 200);
  CHECK(has(bed.get(server.url("/1")), "</html>"));
}
