// SPDX-License-Identifier: BSD-3-Clause
#include "services/portal/request.h"

#include <catch2/catch.hpp>

#include "services/portal/form.h"

namespace postern::portal {
namespace {

using State = RequestReader::State;

// The status of a refusal, 0 when it is read, 1 when more is wanted.
unsigned read(std::string_view text) {
  RequestReader reader;
  switch (reader.feed(text)) {
    case State::done:
      return 0;
    case State::more:
      return 1;
    case State::refused:
      break;
  }
  return reader.status();
}

const std::string kForm =
    "POST /login?next=1 HTTP/1.1\r\nHost: 192.168.1.1\r\nContent-Type: "
    "application/x-www-form-urlencoded\r\nCookie: __Host-postern=ab\r\nOrigin: "
    "https://192.168.1.1\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 9\r\n\r\nuser=anna";

void check_form(const Request& request) {
  CHECK(request.method == "POST");
  CHECK(request.target == "/login");
  CHECK(request.host == "192.168.1.1");
  CHECK(request.content_type == "application/x-www-form-urlencoded");
  CHECK(request.cookie == "__Host-postern=ab");
  CHECK(request.origin == "https://192.168.1.1");
  CHECK(request.fetch_site == "same-origin");
  CHECK(request.body == "user=anna");
}

}  // namespace

TEST_CASE("portal/request: a form is read whole and octet by octet", "[F27]") {
  RequestReader whole;
  REQUIRE(whole.feed(kForm) == State::done);
  check_form(whole.request());
  RequestReader slow;
  for (size_t i = 0; i + 1 < kForm.size(); ++i)
    REQUIRE(slow.feed({&kForm[i], 1}) == State::more);
  REQUIRE(slow.feed({&kForm.back(), 1}) == State::done);
  check_form(slow.request());
  // What comes behind it is nobody's.
  CHECK(slow.feed("GET / HTTP/1.1\r\n\r\n") == State::done);
  check_form(slow.request());
}

TEST_CASE("portal/request: what two readers could read differently is refused", "[F27]") {
  CHECK(read("GET / HTTP/1.1\r\nHost: a\r\n\r\n") == 0);
  CHECK(read("GET / HTTP/1.0\r\nHost: a\r\n\r\n") == 0);
  CHECK(read("GET / HTTP/1.1\r\nHost: a\r\n") == 1);
  for (const char* text : {
           "GET / HTTP/1.1\r\n\r\n",                        // no Host
           "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",  // two
           "GET / HTTP/2.0\r\nHost: a\r\n\r\n",             // version
           "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",            // blanks
           "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",     // not ours
           "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.1\nHost: a\n\n",  // bare LF
           "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nx",
           "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: a=2\r\n\r\n",
           "\x16\x03\x01\x02\x01\x01",
       }) {
    INFO(text);
    CHECK(read(text) == 400);
  }
}

TEST_CASE("portal/request: its size has bounds", "[F27]") {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::string long_target =
      "GET /" + std::string(kTargetMax, 'a') + " HTTP/1.1\r\nHost: a\r\n";
  CHECK(read(long_target + "\r\n") == 400);
  CHECK(read(head + "X: " + std::string(kHeaderMax, 'a') + "\r\n\r\n") == 431);
  CHECK(read(std::string(kHeaderMax + 10, 'A')) >= 400);
  CHECK(read(head + "Content-Length: " + std::to_string(kFormBytesMax + 1) + "\r\n\r\n") == 413);
  CHECK(read(head + "Content-Length: 99999999999999999999\r\n\r\n") >= 400);
  const std::string whole(kFormBytesMax, 'a');
  CHECK(read(head + "Content-Length: " + std::to_string(whole.size()) + "\r\n\r\n" + whole) == 0);
}

TEST_CASE("portal/request: answers are kept nowhere and shown in no frame", "[F27]") {
  Response response;
  response.headers.emplace_back("Location", "/");
  response.body = "text";
  const std::string text = encode(response, false);
  CHECK(text.starts_with("HTTP/1.1 200 OK\r\n"));
  for (const char* header :
       {"\r\nConnection: close\r\n", "\r\nCache-Control: no-store\r\n", "default-src 'none'",
        "frame-ancestors 'none'", "\r\nX-Content-Type-Options: nosniff\r\n", "\r\nLocation: /\r\n",
        "\r\nContent-Length: 4\r\n\r\ntext"})
    CHECK(text.find(header) != std::string::npos);
  CHECK(encode(response, true).ends_with("\r\nContent-Length: 4\r\n\r\n"));
}

}  // namespace postern::portal
