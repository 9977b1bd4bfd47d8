// SPDX-License-Identifier: BSD-3-Clause
#include <catch2/catch.hpp>

#include "control/metrics/request.h"

using namespace postern::metrics;

namespace {

unsigned status_of(const std::string& head) {
  return static_cast<unsigned>(read_request(head).status);
}

const std::string kHost = "Host: gw:9342\r\n";
const std::string kGet = "GET /metrics HTTP/1.1\r\n" + kHost;
const std::string kPrometheus =
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

}  // namespace

TEST_CASE("metrics/request: GET and HEAD of /metrics are answered", "[P20]") {
  CHECK(status_of(kGet + "\r\n") == 200);
  CHECK(status_of("GET /metrics?collect[]=all HTTP/1.1\r\n" + kHost + "\r\n") == 200);
  CHECK(status_of("GET http://gw:9342/metrics HTTP/1.1\r\n" + kHost + "\r\n") == 200);
  CHECK(status_of("GET /metrics HTTP/1.0\r\n\r\n") == 200);
  CHECK(status_of(kGet + "Content-Length: 0\r\n\r\n") == 200);
  const Request head = read_request("HEAD /metrics HTTP/1.1\r\n" + kHost + "\r\n");
  CHECK(head.status == Status::ok);
  CHECK_FALSE(head.wants_body);
  CHECK(read_request(kGet + "\r\n").wants_body);
}

TEST_CASE("metrics/request: other paths and methods are told so", "[P20]") {
  for (const char* target : {"/", "/metrics/", "//metrics", "/metricsx", "*", "http://metrics"})
    CHECK(status_of("GET " + std::string(target) + " HTTP/1.1\r\n" + kHost + "\r\n") == 404);
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"})
    CHECK(status_of(std::string(method) + " /metrics HTTP/1.1\r\n" + kHost + "\r\n") == 405);
}

TEST_CASE("metrics/request: what readers may read in two ways is refused", "[P20]") {
  const std::string head =
      GENERATE_COPY(as<std::string>(),                                  //
                    "GET /metrics HTTP/1.1\r\n\r\n",                    // no Host
                    kGet + kHost + "\r\n",                              // two
                    kGet + "Transfer-Encoding: chunked\r\n\r\n",        //
                    kGet + "Transfer-Encoding: chunked, gzip\r\n\r\n",  //
                    "GET /metrics HTTP/1.0\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n",
                    kGet + "Transfer-Encoding: identity\r\n\r\n",  //
                    kGet + "Content-Length: 3\r\n\r\n",            //
                    kGet + "Content-Length: 3, 3\r\n\r\n",         //
                    kGet + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
                    kGet + "Content-Length: +0\r\n\r\n",            //
                    kGet + "X: a\r\n b\r\n\r\n",                    // folded
                    kGet + "X: a\r\n\tb\r\n\r\n",                   //
                    " " + kGet + "\r\n",                            //
                    kGet + "Host : x\r\n\r\n",                      //
                    kGet + "X: a\nY: b\r\n\r\n",                    // bare LF
                    kGet + "X: a\rY: b\r\n\r\n",                    // bare CR
                    kGet + std::string("X: \0\r\n\r\n", 8),         //
                    "GET  /metrics HTTP/1.1\r\n" + kHost + "\r\n",  //
                    "GET /metrics HTTP/2.0\r\n" + kHost + "\r\n",   //
                    "GET /metrics HTTP/1.2\r\n" + kHost + "\r\n",   //
                    "GET /metrics\r\n\r\n",                         //
                    "\r\n\r\n", "\r\n" + kGet + "\r\n", "", kGet,   //
                    kGet + "\r\nGET /metrics HTTP/1.1\r\n\r\n");
  CAPTURE(head);
  CHECK(status_of(head) == 400);
}

TEST_CASE("metrics/request: a head has a limit", "[P20]") {
  const std::string much(kHeadMax - kGet.size() - 7, 'x');
  CHECK(status_of(kGet + "X: " + much + "\r\n\r\n") == 200);
  CHECK(status_of(kGet + "X: " + much + "x\r\n\r\n") == 431);
}

TEST_CASE("metrics/request: a connection stays open where the client does not say otherwise",
          "[P20]") {
  CHECK(read_request(kGet + "\r\n").keeps_open);
  CHECK_FALSE(read_request(kGet + "Connection: close\r\n\r\n").keeps_open);
  CHECK_FALSE(read_request("GET /metrics HTTP/1.0\r\n\r\n").keeps_open);
  CHECK(read_request("GET /metrics HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keeps_open);
  CHECK_FALSE(read_request("nonsense\r\n\r\n").keeps_open);
}

TEST_CASE("metrics/request: OpenMetrics is told to who asks for it", "[P20]") {
  auto [accept, is_open] = GENERATE_COPY(table<std::string, bool>({
      {"", false},
      {"*/*", false},
      {"text/plain", false},
      {kPrometheus, true},
      {"application/openmetrics-text", true},
      {"Application/OpenMetrics-Text; version=1.0.0; charset=utf-8", true},
      {"application/openmetrics-text; version=\"1.0.0\"", true},
      {"application/openmetrics-text; version=0.0.1", false},
      {"application/openmetrics-text; version=2.0.0, text/plain", false},
      {"application/openmetrics-text; q=0", false},
      {"application/openmetrics-text; q=0.2, text/plain; q=0.3", false},
      {"application/openmetrics-text; q=nan", false},
      {"application/openmetrics-text; q=7", false},
      {"a/b; x=\",application/openmetrics-text,\"", false},
      {",,;;,=,\"", false},
  }));
  CAPTURE(accept);
  CHECK((choose_format(accept) == Format::open_metrics) == is_open);
}

TEST_CASE("metrics/request: a response says what it is and how long", "[P20]") {
  const std::string head = response_head(read_request(kGet + "\r\n"), 42);
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(head.find("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n") !=
        std::string::npos);
  CHECK(head.find("\r\nContent-Length: 42\r\n") != std::string::npos);
  CHECK(head.find("\r\nConnection: keep-alive\r\n") != std::string::npos);
  CHECK(head.ends_with("\r\n\r\n"));
  const std::string other = response_head(read_request("PUT / HTTP/1.1\r\n" + kHost + "\r\n"), 0);
  CHECK(other.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
  CHECK(other.find("\r\nAllow: GET, HEAD\r\n") != std::string::npos);
  CHECK(other.find("\r\nConnection: close\r\n") != std::string::npos);
}
