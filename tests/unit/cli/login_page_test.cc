// SPDX-License-Identifier: BSD-3-Clause
// The page as the gateway makes it (services/portal), and as others might.
#include <catch2/catch.hpp>

#include "cli/login/page.h"
#include "services/portal/form.h"
#include "services/portal/pages.h"

using namespace postern;
using namespace postern::cli;

namespace {

const std::string kToken = "0123456789abcdef0123456789abcdef";
const std::string kCookie = kToken + kToken;

std::string form(const std::string& trouble = "") {
  return portal::html(portal::FormPage{kToken, "anna", trouble});
}

portal::StatePage state() {
  portal::StatePage page;
  page.token = kToken;
  page.user = "anna";
  page.address = "192.168.1.10";
  return page;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("cli/login: the form of the gateway is understood", "[F27]") {
  const Page page = read_page(form());
  CHECK(page.kind == Page::Kind::form);
  CHECK(page.token == kToken);
  CHECK(page.trouble.empty());
  CHECK(read_page(form("wait for 4 s <\"&'>")).trouble == "wait for 4 s <\"&'>");
}

TEST_CASE("cli/login: the page of who is logged in is understood", "[F27]") {
  portal::StatePage made = state();
  Page page = read_page(portal::html(made));
  CHECK(page.kind == Page::Kind::state);
  CHECK(page.token == kToken);
  CHECK(page.user == "anna");
  CHECK(page.address == "192.168.1.10");
  CHECK(page.left_s == -1);
  CHECK(page.idle_s == 0);
  CHECK(page.refresh_s == 0);
  made.left_s = 4000;
  made.idle_s = 1800;
  made.refresh_s = 20;
  page = read_page(portal::html(made));
  CHECK(page.left_s == 4000);
  CHECK(page.idle_s == 1800);
  CHECK(page.refresh_s == 20);
}

TEST_CASE("cli/login: a name cannot pretend to be another part of the page", "[F27]") {
  portal::StatePage made = state();
  made.user = "x</dd><dd id=\"address\">10.0.0.1</dd><data id=\"left\" value=\"5\">";
  const Page page = read_page(portal::html(made));
  CHECK(page.kind == Page::Kind::state);
  CHECK(page.address == "192.168.1.10");
  CHECK(page.left_s == -1);
  CHECK(page.user.size() <= 63);
}

TEST_CASE("cli/login: what does not look as it ought to is no page", "[F27]") {
  const std::string good = portal::html(state());
  for (const std::string& bad :
       {std::string(), std::string("<html>"), good.substr(0, good.find("token")),
        good.substr(0, good.find(kToken) + 10), replaced(good, kToken, ""),
        replaced(good, kToken, kToken + "0"), replaced(good, kToken, "\x01" + kToken.substr(1)),
        replaced(good, "/logout", "/elsewhere"), replaced(good, ">anna<", "><"),
        replaced(good, "192.168.1.10", "192.168.1.256"), replaced(good, "192.168.1.10", "\x1b]0;x"),
        replaced(good, "id=\"address\"", ""),
        portal::html("Not found", "There is no such page.")}) {
    CAPTURE(bad);
    CHECK(read_page(bad).kind == Page::Kind::other);
  }
}

TEST_CASE("cli/login: numbers that cannot be are left out", "[F27]") {
  portal::StatePage made = state();
  made.left_s = 4000;
  const std::string good = portal::html(made);
  for (const char* bad : {"", "-1", "99999999999999999999", "31622401", "12x", " 12", "0x10"}) {
    CAPTURE(bad);
    CHECK(
        read_page(replaced(good, "value=\"4000\"", std::string("value=\"") + bad + "\"")).left_s ==
        -1);
  }
}

TEST_CASE("cli/login: what is shown is printable and short", "[F27]") {
  const std::string bad = "\x1b[31mred\r\n\x9b" + std::string(1000, 'x');
  const std::string told = read_page("<p class=\"trouble\" role=\"alert\">" + bad + "</p>").trouble;
  CHECK(told.starts_with("?[31mred???x"));
  CHECK(told.size() == 200);
}

TEST_CASE("cli/login: it is asked for often enough to stay logged in", "[F27]") {
  Page page;
  CHECK(keep_alive_s(page) == 60);
  page.idle_s = 90;
  CHECK(keep_alive_s(page) == 30);
  page.refresh_s = 20;
  CHECK(keep_alive_s(page) == 20);
  page.left_s = 4;
  CHECK(keep_alive_s(page) == 5);
  page.idle_s = 1;
  CHECK(keep_alive_s(page) == 1);
}

TEST_CASE("cli/login: only a cookie of the page's is taken", "[F27]") {
  const std::string more = "; Path=/; Secure; HttpOnly; SameSite=Strict";
  const std::string own = "__Host-postern=" + kCookie, of_form = "__Host-postern-form=" + kCookie;
  CHECK(cookie_in({own + more}, kLoginCookie) == kCookie);
  CHECK(cookie_in({of_form + more, "x=y"}, kFormCookie) == kCookie);
  CHECK(cookie_in({of_form + more}, kLoginCookie).empty());
  for (const std::string& bad :
       {std::string(), std::string("__Host-postern"), std::string("__Host-postern=; Max-Age=0"),
        own + "0" + more, "x; " + own, own.substr(0, own.size() - 1) + "\r",
        std::string("__Host-postern=") + kCookie.substr(1) + "A"}) {
    CAPTURE(bad);
    CHECK(cookie_in({bad}, kLoginCookie).empty());
  }
}

TEST_CASE("cli/login: forms carry any password as the gateway reads it", "[F27]") {
  std::string all;
  for (int octet = 0; octet < 256; ++octet)
    all += static_cast<char>(octet);
  const std::string text = encode_form({{"token", kToken}, {"user", "a&b=c"}, {"password", all}});
  CHECK(text.find_first_of(" \r\n+") == std::string::npos);
  auto fields = portal::parse_form(text);
  REQUIRE(fields);
  CHECK(fields->size() == 3);
  CHECK(portal::find_field(*fields, "token") == kToken);
  CHECK(portal::find_field(*fields, "user") == "a&b=c");
  CHECK(portal::find_field(*fields, "password") == all);
}
