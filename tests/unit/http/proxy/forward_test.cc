// SPDX-License-Identifier: BSD-3-Clause
// Requests and responses that are as they should be, through the proxy.
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

TEST_CASE("http/proxy/forward: a request reaches its origin in origin form, with Via",
          "[F56][RFC9110-7.6.1][RFC9110-7.6.3]") {
  std::string seen;
  Origin origin([&](Wire& wire, const std::string& head, int) {
    seen = head;
    return wire.send(response("X-Own: 1\r\n", "hello"));
  });
  Bed bed;
  const std::string answer =
      bed.get(origin.url("/a/b?c"),
              "Connection: X-Hop\r\nX-Hop: 1\r\nProxy-Authorization: Basic eA==\r\n"
              "X-Kept: 2\r\n");
  CHECK(status_of(answer) == 200);
  CHECK(body_of(answer) == "hello");
  CHECK(has(answer, "X-Own: 1\r\n"));
  CHECK(has(answer, "Via: 1.1 postern\r\n"));
  CHECK(has(seen, "GET /a/b?c HTTP/1.1\r\n"));
  CHECK(has(seen, "Host: 127.0.0.1:" + std::to_string(origin.port())));
  CHECK(has(seen, "X-Kept: 2\r\n"));
  CHECK(has(seen, "Via: 1.1 postern\r\n"));
  CHECK_FALSE(has(seen, "X-Hop"));
  CHECK_FALSE(has(seen, "Proxy-Authorization"));
}

TEST_CASE("http/proxy/forward: both connections serve one request after another", "[F56]") {
  Origin origin(always(response("", "x")));
  Bed bed;
  Wire wire = bed.client();
  for (int i = 0; i < 5; ++i) {
    wire.send(request(origin.url("/")));
    CHECK(body_of(wire.read_response()) == "x");
  }
  CHECK(origin.requests() == 5);
  CHECK(origin.connections() == 1);
}

TEST_CASE("http/proxy/forward: requests that come at once are answered in their order", "[F56]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    return wire.send(response("", head.substr(4, head.find(' ', 4) - 4)));
  });
  Bed bed;
  Wire wire = bed.client();
  std::string all;
  for (int i = 0; i < 40; ++i)
    all += request(origin.url("/" + std::to_string(i)));
  wire.send(all);
  for (int i = 0; i < 40; ++i)
    CHECK(body_of(wire.read_response()) == "/" + std::to_string(i));
}

TEST_CASE("http/proxy/forward: a head that comes octet by octet is read", "[F56]") {
  Origin origin(always(response("", "x")));
  Bed bed;
  Wire wire = bed.client();
  for (const char octet : request(origin.url("/")))
    wire.send(std::string_view(&octet, 1));
  CHECK(body_of(wire.read_response()) == "x");
}

TEST_CASE("http/proxy/forward: bodies of requests arrive whole, with a length and in chunks",
          "[F56]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    std::string body;
    if (has(head, "Transfer-Encoding: chunked")) {
      for (std::string piece = wire.read(); !has(body += piece, "0\r\n\r\n"); piece = wire.read()) {
        if (piece.empty()) return false;
      }
    } else {
      const size_t at = head.find("Content-Length: ") + 16;
      body = wire.read_exactly(std::stoul(head.substr(at)));
    }
    return wire.send(response("", body));
  });
  Bed bed;
  Wire wire = bed.client();
  const std::string big(300'000, 'b');
  wire.send("POST " + origin.url("/") + " HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" +
            big);
  CHECK(body_of(wire.read_response()) == big);
  wire.send("POST " + origin.url("/") +
            " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n"
            "0\r\nX: y\r\n\r\n" +
            request(origin.url("/next"), "Content-Length: 1\r\n") + "n");
  CHECK(body_of(wire.read_response()) == "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  CHECK(body_of(wire.read_response()) == "n");
}

TEST_CASE("http/proxy/forward: 100 (Continue) comes from the origin, before the body",
          "[F56][RFC9110-10.1.1]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    if (!has(head, "Expect: 100-continue")) return false;
    wire.send("HTTP/1.1 100 Continue\r\n\r\n");
    return wire.send(response("", wire.read_exactly(4)));
  });
  Bed bed;
  Wire wire = bed.client();
  wire.send("PUT " + origin.url("/") +
            " HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  CHECK(status_of(wire.read_head()) == 100);
  wire.send("body");
  CHECK(body_of(wire.read_response()) == "body");
}

TEST_CASE("http/proxy/forward: chunks stay chunks, and trailers go to who wants them",
          "[F56][RFC9112-7.1][RFC9112-7.1.2]") {
  Origin origin(
      always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             "3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n"));
  Bed bed;
  CHECK(body_of(bed.get(origin.url("/"))) == "abcdefg");
  CHECK(body_of(bed.get(origin.url("/"), "TE: trailers\r\n")) == "abcdefg<trailer X-Sum: 7>");
  Wire old = bed.client();
  old.send("GET " + origin.url("/") + " HTTP/1.0\r\n\r\n");
  const std::string answer = old.read_to_end();
  CHECK(body_of(answer) == "abcdefg");
  CHECK_FALSE(has(answer, "chunked"));
}

TEST_CASE("http/proxy/forward: HEAD has the head alone, and the connection goes on", "[F56]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    const bool is_head = has(head, "HEAD ");
    return wire.send(is_head ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                             : response("", "hello"));
  });
  Bed bed;
  Wire wire = bed.client();
  wire.send("HEAD " + origin.url("/") + " HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(has(wire.read_response(false), "Content-Length: 5\r\n"));
  wire.send(request(origin.url("/")));
  CHECK(body_of(wire.read_response()) == "hello");
}

TEST_CASE("http/proxy/forward: OPTIONS and TRACE with Max-Forwards 0 end here",
          "[F56][RFC9110-7.6.2]") {
  Origin origin(always(response("", "origin")));
  Bed bed;
  Wire wire = bed.client();
  wire.send("OPTIONS " + origin.url("/") + " HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n");
  CHECK(has(wire.read_response(), "Allow: GET"));
  wire.send("TRACE " + origin.url("/") +
            " HTTP/1.1\r\nHost: a\r\nCookie: secret\r\nX: 1\r\nMax-Forwards: 0\r\n\r\n");
  const std::string echo = wire.read_response();
  CHECK(has(echo, "message/http"));
  CHECK(has(body_of(echo), "X: 1\r\n"));
  CHECK_FALSE(has(echo, "secret"));
  CHECK(origin.requests() == 0);
  wire.send("OPTIONS " + origin.url("/") + " HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\n\r\n");
  CHECK(body_of(wire.read_response()) == "origin");
}

TEST_CASE("http/proxy/forward: a stale kept connection is no failure for what may be repeated",
          "[F56]") {
  // The origin answers once a connection, says it stays open, and closes on the second request.
  Origin origin([n = 0](Wire& wire, const std::string& head, int) mutable {
    if (has(head, "/second") && ++n == 1) return false;
    return wire.send(response("", "x"));
  });
  Bed bed;
  Wire wire = bed.client();
  wire.send(request(origin.url("/")));
  CHECK(status_of(wire.read_response()) == 200);
  wire.send(request(origin.url("/second")));
  CHECK(status_of(wire.read_response()) == 200);
  CHECK(bed.counters().retries == 1);
}

TEST_CASE("http/proxy/forward: a large response goes through to a slow reader", "[F56]") {
  const std::string big(20'000'000, 'z');
  Origin origin(always(response("", big)));
  Bed bed;
  Wire wire = bed.client();
  wire.send(request(origin.url("/")));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  CHECK(body_of(wire.read_response()).size() == big.size());
}

TEST_CASE("http/proxy/forward: a request that has been here before is refused", "[F56]") {
  Bed bed;
  Wire wire = bed.client();
  wire.send(request("http://127.0.0.1:1/", "Via: 1.1 other, 1.1 postern\r\n"));
  CHECK(status_of(wire.read_response()) == 508);
}

TEST_CASE("http/proxy/forward: a parent proxy gets the absolute form", "[F56]") {
  std::string seen;
  Origin parent([&](Wire& wire, const std::string& head, int) {
    seen = head;
    if (!has(head, "CONNECT")) return wire.send(response("", "by parent"));
    wire.send("HTTP/1.1 200 Fine\r\n\r\nfirst");
    return wire.send(wire.read());
  });
  Bed::Plan plan;
  plan.settings.parent = ParentProxy{"127.0.0.1", parent.port(), "me:secret", true};
  Bed bed(std::move(plan));
  CHECK(body_of(bed.get("http://www.example.com/x")) == "by parent");
  CHECK(has(seen, "GET http://www.example.com/x HTTP/1.1\r\n"));
  CHECK(has(seen, "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n"));
  Wire wire = bed.client();
  wire.send("CONNECT www.example.com:443 HTTP/1.1\r\nHost: www.example.com:443\r\n\r\n");
  CHECK(status_of(wire.read_head()) == 200);
  CHECK(wire.read_exactly(5) == "first");
  wire.send("echo");
  CHECK(wire.read_exactly(4) == "echo");
}

TEST_CASE("http/proxy/forward: settings change under open connections", "[F56]") {
  Origin origin(always(response("", "x")));
  Bed bed;
  Wire wire = bed.client();
  wire.send(request(origin.url("/")));
  CHECK(status_of(wire.read_response()) == 200);
  bed.on_loop([&] {
    ProxySettings settings;
    settings.name = "other";
    ProxyListener at;
    at.address = Ipv4Address(127, 0, 0, 1);
    at.port = 0;
    settings.listeners = {at};
    settings.destinations.allowed = {{Ipv4Address(127, 0, 0, 1), Ipv4Address(127, 0, 0, 1)}};
    CHECK(bed.proxy().apply(settings).has_value());
    CHECK(bed.proxy().ports().front() == bed.port());
  });
  wire.send(request(origin.url("/")));
  CHECK(has(wire.read_response(), "Via: 1.1 other"));
  bed.on_loop([&] { bed.proxy().stop(); });
  CHECK(wire.is_ended());
}
