// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/framing.h"

#include <catch2/catch.hpp>
#include <string>

#include "unit/http/message/read_message.h"

namespace postern::http {
namespace {

// "chunked", "length 5", "none" or "until_close", and "+" where the connection stays.
std::string framing_text(const Read& read) {
  if (read.step != Step::done) return read.verdict();
  const std::string kept = read.framing.is_persistent ? " +" : "";
  switch (read.framing.body) {
    case Body::none:
      return "none" + kept;
    case Body::length:
      return "length " + std::to_string(read.framing.length) + kept;
    case Body::chunked:
      return "chunked" + kept;
    case Body::until_close:
      return "until_close" + kept;
  }
  return {};
}

std::string of_request(const std::string& line, const std::string& fields) {
  return framing_text(read_request(line + "\r\n" + fields + "\r\n"));
}

std::string of_response(const std::string& line, const std::string& fields,
                        std::string_view method = "GET") {
  return framing_text(read_response(line + "\r\n" + fields + "\r\n", method));
}

std::string host_of(const std::string& line, const std::string& fields) {
  const std::string text = line + "\r\n" + fields + "\r\n";
  RequestReader reader;
  if (reader.read(text) != Step::done) return "?";
  Target target;
  RequestFraming framing;
  if (parse_target(reader.head().method, reader.head().target, target)) return "?";
  if (frame_request(reader.head(), target, framing)) return "?";
  std::string host;
  append_authority(host, framing.host, 80);
  return host;
}

TEST_CASE("http/message/framing: where the body of a request ends", "[RFC9112-6.3]") {
  CHECK(of_request("GET / HTTP/1.1", "Host: a\r\n") == "none +");
  CHECK(of_request("GET / HTTP/1.1", "Host: a\r\nContent-Length: 3\r\n") == "length 3 +");
  CHECK(of_request("POST / HTTP/1.1", "Host: a\r\nContent-Length: 000\r\n") == "length 0 +");
  CHECK(of_request("PUT / HTTP/1.1", "Host: a\r\nTransfer-Encoding: chunked\r\n") == "chunked +");
  CHECK(of_request("POST / HTTP/1.0", "Content-Length: 3\r\n") == "length 3");
  CHECK(of_request("CONNECT a:443 HTTP/1.1", "Host: a:443\r\n") == "none +");
  CHECK(of_request("CONNECT a:443 HTTP/1.1", "Host: a\r\nContent-Length: 0\r\n") == "length 0 +");
  CHECK(of_request("CONNECT a:443 HTTP/1.1", "Host: a\r\nContent-Length: 1\r\n") == "400 body");
  CHECK(of_request("TRACE / HTTP/1.1", "Host: a\r\nTransfer-Encoding: chunked\r\n") == "400 body");
}

TEST_CASE("http/message/framing: a client keeps its connection by HTTP/1.1 alone",
          "[RFC9112-9.3]") {
  CHECK(of_request("GET / HTTP/1.1", "Host: a\r\nConnection: keep-alive\r\n") == "none +");
  CHECK(of_request("GET / HTTP/1.1", "Host: a\r\nConnection: x, Close\r\n") == "none");
  CHECK(of_request("GET / HTTP/1.1", "Host: a\r\nConnection: x\r\nConnection: close\r\n") ==
        "none");
  CHECK(of_request("GET / HTTP/1.1", "Host: a\r\nProxy-Connection: close\r\n") == "none +");
  CHECK(of_request("GET / HTTP/1.0", "Host: a\r\nConnection: keep-alive\r\n") == "none");
}

TEST_CASE("http/message/framing: where the body of a response ends", "[RFC9112-6.3]") {
  CHECK(of_response("HTTP/1.1 200 OK", "Content-Length: 3\r\n") == "length 3 +");
  CHECK(of_response("HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n") == "chunked +");
  CHECK(of_response("HTTP/1.1 200 OK", "") == "until_close");
  CHECK(of_response("HTTP/1.0 200 OK", "Connection: keep-alive\r\n") == "until_close");
  CHECK(of_response("HTTP/1.0 200 OK", "Connection: keep-alive\r\nContent-Length: 3\r\n") ==
        "length 3 +");
  CHECK(of_response("HTTP/1.0 200 OK", "Content-Length: 3\r\n") == "length 3");
  CHECK(of_response("HTTP/1.1 200 OK", "Content-Length: 3\r\nConnection: close\r\n") == "length 3");
  CHECK(of_response("HTTP/1.1 205 x", "Content-Length: 0\r\n") == "length 0 +");
}

TEST_CASE("http/message/framing: a response in a coding that is none ends with its connection",
          "[RFC9112-6.3]") {
  CHECK(of_response("HTTP/1.1 200 OK", "Transfer-Encoding: identity\r\n") == "until_close");
  CHECK(of_response("HTTP/1.1 200 OK", "Transfer-Encoding: Binary\r\n") == "until_close");
  CHECK(of_response("HTTP/1.1 304 OK", "Transfer-Encoding: x\r\n") == "none");
  for (const char* coding : {"gzip", "GZip", "x-gzip", "deflate", "compress", "br", "xchunked",
                             "Chunked-x", "identity, x", "a b", "\"x\"", "", "x;q=1"}) {
    INFO(coding);
    CHECK(of_response("HTTP/1.1 200 OK", "Transfer-Encoding: " + std::string(coding) + "\r\n") ==
          "502 coding");
  }
  CHECK(of_response("HTTP/1.1 200 OK", "Transfer-Encoding: x\r\nContent-Length: 3\r\n") ==
        "502 coding");
  CHECK(of_response("HTTP/1.1 200 OK", "Transfer-Encoding: x\r\nTransfer-Encoding: x\r\n") ==
        "502 coding_twice");
  CHECK(of_response("HTTP/1.0 200 OK", "Transfer-Encoding: x\r\n") == "502 coding_in_http10");
}

TEST_CASE("http/message/framing: some responses have no body, whatever they announce",
          "[RFC9112-6.3]") {
  CHECK(of_response("HTTP/1.1 200 OK", "Content-Length: 3\r\n", "HEAD") == "none +");
  CHECK(of_response("HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n", "HEAD") == "none +");
  CHECK(of_response("HTTP/1.1 200 OK", "", "HEAD") == "none +");
  CHECK(of_response("HTTP/1.1 304 x", "Content-Length: 3\r\n") == "none +");
  CHECK(of_response("HTTP/1.1 204 x", "") == "none +");
  CHECK(of_response("HTTP/1.1 200 x", "Content-Length: 3\r\n", "CONNECT") == "none +");
  CHECK(of_response("HTTP/1.1 407 x", "Content-Length: 3\r\n", "CONNECT") == "length 3 +");
  CHECK(of_response("HTTP/1.1 100 x", "") == "none +");
  CHECK(of_response("HTTP/1.1 103 x", "Content-Length: 0\r\n") == "none +");
  // The method is told apart from others by case.
  CHECK(of_response("HTTP/1.1 200 OK", "Content-Length: 3\r\n", "head") == "length 3 +");
}

TEST_CASE("http/message/framing: a response with octets where none may be ends its connection",
          "[RFC9112-6.3]") {
  CHECK(of_response("HTTP/1.1 204 x", "Content-Length: 3\r\n") == "none");
  CHECK(of_response("HTTP/1.1 204 x", "Transfer-Encoding: chunked\r\n") == "none");
  CHECK(of_response("HTTP/1.1 100 x", "Content-Length: 3\r\n") == "502 interim_body");
  CHECK(of_response("HTTP/1.1 103 x", "Transfer-Encoding: chunked\r\n") == "502 interim_body");
  CHECK(of_response("HTTP/1.1 101 x", "Upgrade: websocket\r\n") == "502 upgrade");
  CHECK(of_response("HTTP/1.1 200 x", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                    "HEAD") == "502 coding_and_length");
}

TEST_CASE("http/message/framing: the target says which host is meant, else the field does",
          "[RFC9112-3.2.2]") {
  CHECK(host_of("GET /a HTTP/1.1", "Host: WWW.example.com:8080\r\n") == "www.example.com:8080");
  CHECK(host_of("GET http://one.example/ HTTP/1.1", "Host: two.example\r\n") == "one.example");
  CHECK(host_of("GET http://one.example/ HTTP/1.1", "Host: two.example:80:80\r\n") == "?");
  CHECK(host_of("GET http://one.example/ HTTP/1.1", "") == "?");
  CHECK(host_of("GET http://one.example/ HTTP/1.0", "") == "one.example");
  CHECK(host_of("GET /a HTTP/1.0", "").empty());
  CHECK(host_of("CONNECT a.example:443 HTTP/1.1", "Host: b.example\r\n") == "a.example:443");
  CHECK(host_of("OPTIONS * HTTP/1.1", "Host: [2001:DB8::1]:81\r\n") == "[2001:db8::1]:81");
}

}  // namespace
}  // namespace postern::http
