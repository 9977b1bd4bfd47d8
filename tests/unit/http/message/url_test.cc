// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/url.h"

#include <catch2/catch.hpp>
#include <string>

namespace postern::http {
namespace {

using namespace std::string_view_literals;

std::string url_verdict(std::string_view text) {
  Url url;
  const Refusal refusal = parse_url(text, url);
  if (refusal) return std::to_string(refusal.status) + " " + std::string(refusal.reason);
  return std::string(to_text(url.scheme)) + "|" + std::string(url.user) + "|" +
         std::string(url.authority.host) + "|" + std::to_string(url.port()) + "|" +
         std::string(url.path);
}

TEST_CASE("http/message/url: absolute URLs are split") {
  CHECK(url_verdict("http://www.example.com/a/b?c") == "http||www.example.com|80|/a/b?c");
  CHECK(url_verdict("HTTP://WWW.Example.com:8080") == "http||WWW.Example.com|8080|");
  CHECK(url_verdict("http://a?b") == "http||a|80|?b");
  CHECK(url_verdict("http://a:?b") == "http||a|80|?b");
  CHECK(url_verdict("http://a//b/@c:d") == "http||a|80|//b/@c:d");
  CHECK(url_verdict("http://a./") == "http||a.|80|/");
  CHECK(url_verdict("http://a_b-c.1d/") == "http||a_b-c.1d|80|/");
  CHECK(url_verdict("http://192.0.2.1:81/") == "http||192.0.2.1|81|/");
  CHECK(url_verdict("http://[2001:db8::1]:81/") == "http||2001:db8::1|81|/");
  CHECK(url_verdict("ftp://ftp.example.com/pub/") == "ftp||ftp.example.com|21|/pub/");
  CHECK(url_verdict("ftp://me:p%40ss@a/x;type=i") == "ftp|me:p%40ss|a|21|/x;type=i");
  CHECK(url_verdict("gopher://a/0/x%09y") == "gopher||a|70|/0/x%09y");
}

TEST_CASE("http/message/url: URLs that are not sound are refused", "[RFC9110-4.2.4]") {
  struct Row {
    std::string_view text;
    std::string_view verdict;
  };
  const Row rows[] = {
      {"", "400 url"},
      {"a", "400 url"},
      {"http", "400 url"},
      {"http:", "400 url"},
      {"http:/a", "400 url"},
      {"http:a/", "400 url"},
      {"://a/", "400 url"},
      {"1http://a/", "400 url"},
      {"ht tp://a/", "400 url"},
      {"http://a/ b", "400 url"},
      {"http://a/\xc3\xa4", "400 url"},
      {"http://a/\0"sv, "400 url"},
      {"https://a/", "501 scheme"},
      {"file:///etc/passwd", "501 scheme"},
      {"javascript:alert(1)", "400 url"},
      {"httpx://a/", "501 scheme"},
      {"http:///b", "400 host"},
      {"http://", "400 host"},
      {"http://:80/", "400 host"},
      {"http://a/#b", "400 fragment"},
      {"http://a#@b/", "400 fragment"},
      {"http://me@a/", "400 user_in_url"},
      {"http://me:pw@a/", "400 user_in_url"},
      {"http://@a/", "400 user_in_url"},
      {"gopher://me@a/", "400 user_in_url"},
      {"ftp://@a/", "400 user_in_url"},
      {"ftp://me@b@a/", "400 host"},
      {"http://a\\b/", "400 host"},
      {"http://a%2eb/", "400 host"},
      {"http://a..b/", "400 host"},
      {"http://.a/", "400 host"},
      {"http://./", "400 host"},
      {"http://a../", "400 host"},
      {"http://a,b/", "400 host"},
      {"http://a*/", "400 host"},
      // Numbers that one reads as an address and another as a name.
      {"http://127.1/", "400 host"},
      {"http://0x7f.1/", "400 host"},
      {"http://0x7f.0.0.1/", "400 host"},
      {"http://127.0.0.0x1/", "400 host"},
      {"http://127.0.0.0x/", "400 host"},
      {"http://0177.0.0.1/", "400 host"},
      {"http://127.0.0.01/", "400 host"},
      {"http://2130706433/", "400 host"},
      {"http://0x7f000001/", "400 host"},
      {"http://127.0.0.1./", "400 host"},
      {"http://127.0.0.256/", "400 host"},
      {"http://127.0.0.1.5/", "400 host"},
      {"http://www.example.1/", "400 host"},
      {"http://0/", "400 host"},
      // Addresses in brackets.
      {"http://[::1/", "400 host"},
      {"http://::1/", "400 host"},
      {"http://[::1]x/", "400 host"},
      {"http://[]/", "400 host"},
      {"http://[1]/", "400 host"},
      {"http://[192.0.2.1]/", "400 host"},
      {"http://[fe80::1%25eth0]/", "400 host"},
      {"http://[v1.x]/", "400 host"},
      {"http://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]/", "400 host"},
      // Ports.
      {"http://a:0/", "400 host"},
      {"http://a:080/", "400 host"},
      {"http://a:65536/", "400 host"},
      {"http://a:-1/", "400 host"},
      {"http://a:+80/", "400 host"},
      {"http://a:80x/", "400 host"},
      {"http://a:99999999999999999999/", "400 host"},
      // Line ends of the protocol behind it.
      {"ftp://a/x%0d%0aDELE%20y", "400 hidden_line_end"},
      {"ftp://a/x%0Ay", "400 hidden_line_end"},
      {"ftp://a/x%00", "400 hidden_line_end"},
      {"ftp://a/%%0d", "400 hidden_line_end"},
      {"ftp://me%0d:x@a/", "400 hidden_line_end"},
      {"gopher://a:25/1%0d%0aHELO", "400 hidden_line_end"},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    CHECK(url_verdict(row.text) == row.verdict);
  }
  CHECK(url_verdict("http://" + std::string(63, 'a') + "/").substr(0, 4) == "http");
  CHECK(url_verdict("http://" + std::string(64, 'a') + "/") == "400 host");
  std::string name = "a";
  while (name.size() < 253)
    name += ".b";
  CHECK(url_verdict("http://" + name + "/").substr(0, 4) == "http");
  CHECK(url_verdict("http://" + name + "./").substr(0, 4) == "http");
  CHECK(url_verdict("http://" + name + "c/") == "400 host");
}

std::string target_verdict(std::string_view method, std::string_view text) {
  Target target;
  const Refusal refusal = parse_target(method, text, target);
  if (refusal) return std::to_string(refusal.status) + " " + std::string(refusal.reason);
  switch (target.form) {
    case TargetForm::origin:
      return "origin " + std::string(target.url.path);
    case TargetForm::absolute:
      return "absolute " + std::string(target.url.authority.host);
    case TargetForm::authority:
      return "authority " + std::string(target.url.authority.host) + " " +
             std::to_string(target.url.authority.port);
    case TargetForm::asterisk:
      return "asterisk";
  }
  return {};
}

TEST_CASE("http/message/url: the method says which form a target may have", "[RFC9112-3.2]") {
  CHECK(target_verdict("GET", "/a?b") == "origin /a?b");
  CHECK(target_verdict("GET", "//a/b") == "origin //a/b");
  CHECK(target_verdict("GET", "/a#b") == "400 fragment");
  CHECK(target_verdict("GET", "http://a/") == "absolute a");
  CHECK(target_verdict("GET", "a:443") == "400 url");
  CHECK(target_verdict("GET", "a.example:443") == "400 url");
  CHECK(target_verdict("GET", "*") == "400 url");
  CHECK(target_verdict("GET", "?a") == "400 url");
  CHECK(target_verdict("OPTIONS", "*") == "asterisk");
  CHECK(target_verdict("OPTIONS", "*a") == "400 url");
  CHECK(target_verdict("CONNECT", "a.example:443") == "authority a.example 443");
  CHECK(target_verdict("CONNECT", "[::1]:443") == "authority ::1 443");
  for (const std::string_view text : {"a.example", "a.example:", "a.example:0", "http://a/", "/a",
                                      "*", "me@a:443", "a:443/", "127.1:443", ":443", ""}) {
    INFO(text);
    CHECK(target_verdict("CONNECT", text) == "400 target");
  }
}

TEST_CASE("http/message/url: hosts are names, IPv4 or IPv6") {
  CHECK(parse_authority("a.example")->kind == HostKind::name);
  CHECK(parse_authority("192.0.2.1:80")->kind == HostKind::ipv4);
  CHECK(parse_authority("192.0.2.1:80")->address == Ipv4Address(192, 0, 2, 1));
  CHECK(parse_authority("[::ffff:192.0.2.1]")->kind == HostKind::ipv6);
  CHECK_FALSE(parse_authority(""));
  CHECK_FALSE(parse_authority("me@a"));
  CHECK_FALSE(parse_authority("[::1\0]"sv));
}

TEST_CASE("http/message/url: an origin is asked for what was written", "[RFC9112-3.2]") {
  const auto asked = [](std::string_view method, std::string_view text) {
    Url url;
    REQUIRE_FALSE(parse_url(text, url));
    std::string out;
    append_origin_form(out, method, url);
    return out;
  };
  CHECK(asked("GET", "http://a") == "/");
  CHECK(asked("GET", "http://a?b") == "/?b");
  CHECK(asked("GET", "http://a/x/../%7e") == "/x/../%7e");
  CHECK(asked("OPTIONS", "http://a") == "*");
  CHECK(asked("OPTIONS", "http://a/") == "/");
  CHECK(asked("OPTIONS", "http://a?b") == "/?b");
}

}  // namespace
}  // namespace postern::http
