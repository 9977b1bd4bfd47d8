// SPDX-License-Identifier: BSD-3-Clause
// Clients and origins that do not mean well, or are broken.
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

namespace {

const std::string kUrl = "http://127.0.0.1:1/";

struct BadRequest {
  const char* what;
  std::string octets;
  unsigned status;
};

std::vector<BadRequest> bad_requests() {
  const std::string post = "POST " + kUrl + " HTTP/1.1\r\nHost: a\r\n";
  const std::string get = "GET " + kUrl + " HTTP/1.1\r\n";
  return {
      {"length and chunks",
       post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"two lengths", post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400},
      {"a list of lengths", post + "Content-Length: 3, 3\r\n\r\nabc", 400},
      {"a length with a sign", post + "Content-Length: +3\r\n\r\nabc", 400},
      {"chunks before another coding", post + "Transfer-Encoding: chunked, gzip\r\n\r\n", 400},
      {"an unknown coding", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400},
      {"chunks in HTTP/1.0",
       "POST " + kUrl + " HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"no host", get + "\r\n", 400},
      {"two hosts", get + "Host: a\r\nHost: b\r\n\r\n", 400},
      {"a space before the colon", get + "Host : a\r\n\r\n", 400},
      {"a folded line", get + "Host: a\r\nX: 1\r\n 2\r\n\r\n", 400},
      {"bare line feeds", "GET " + kUrl + " HTTP/1.1\nHost: a\n\n", 400},
      {"a zero octet", get + std::string("Host: a\r\nX: \0\r\n\r\n", 16), 400},
      {"HTTP/2.0", "GET " + kUrl + " HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"HTTP/0.9", "GET /\r\n\r\n", 400},
      {"origin form", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 421},
      {"another scheme", "GET wais://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"an expectation", get + "Host: a\r\nExpect: miracles\r\n\r\n", 417},
      {"a port of mail", "GET http://127.0.0.1:25/ HTTP/1.1\r\nHost: a\r\n\r\n", 403},
      {"a long line", "GET http://a/" + std::string(70000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n",
       414},
      {"a large head", get + "Host: a\r\nX: " + std::string(70000, 'x') + "\r\n\r\n", 431},
      {"CONNECT without a port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"CONNECT to another port", "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: a\r\n\r\n", 403},
  };
}

}  // namespace

TEST_CASE("http/proxy/hostile: bad requests get their status, and smuggle nothing",
          "[F56][RFC9112-6.3]") {
  Bed bed;
  for (const BadRequest& bad : bad_requests()) {
    INFO(bad.what);
    Wire wire = bed.client();
    wire.send(bad.octets + request(kUrl + "smuggled"));
    const std::string answer = wire.read_response();
    CHECK(status_of(answer) == bad.status);
    if (bad.status == 403 || bad.status == 421 || bad.status == 501 || bad.status == 417) continue;
    CHECK(has(answer, "Connection: close\r\n"));
    CHECK_FALSE(has(wire.read_to_end(), "HTTP/1.1"));
  }
}

TEST_CASE("http/proxy/hostile: what came in a URL is shown as text", "[F56]") {
  Bed bed;
  const std::string answer = bed.get("http://127.0.0.1:25/?<script>");
  CHECK(status_of(answer) == 403);
  CHECK(has(answer, "&#60;script&#62;"));
  CHECK_FALSE(has(answer, "<script>"));
}

TEST_CASE("http/proxy/hostile: a bad chunk of a request ends both sides", "[F56]") {
  Origin origin([](Wire& wire, const std::string&, int) {
    wire.read_to_end();
    return false;
  });
  Bed bed;
  Wire wire = bed.client();
  wire.send("POST " + origin.url("/") +
            " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX\r\n0\r\n\r\n");
  CHECK(status_of(wire.read_response()) == 400);
  CHECK(wire.is_ended());
}

TEST_CASE("http/proxy/hostile: a slow head is answered with 408", "[F56]") {
  Bed bed;
  Wire wire = bed.client();
  wire.send("GET http://127.0.0.1/ HT");
  CHECK(until([&] { return bed.load().clients == 1; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  bed.pass_seconds(40);
  CHECK(status_of(wire.read_response()) == 408);
  CHECK(wire.is_ended());
  Wire silent = bed.client();
  CHECK(until([&] { return bed.load().clients == 1; }));
  bed.pass_seconds(40);
  CHECK(silent.read_to_end().empty());
  CHECK(bed.counters().too_slow == 1);
}

TEST_CASE("http/proxy/hostile: a client that does not read is left", "[F56]") {
  Origin origin(always(response("", std::string(50'000'000, 'z'))));
  Bed bed;
  Wire wire = bed.client();
  wire.send(request(origin.url("/")));
  bed.wait_until_still();
  bed.pass_seconds(70);
  bed.pass_seconds(70);
  CHECK(bed.counters().too_slow == 1);
  bed.on_loop([&] {
    CHECK(bed.proxy().load().clients == 0);
    CHECK(bed.proxy().load().transfers == 0);
  });
}

TEST_CASE("http/proxy/hostile: nonsense from an origin becomes 502", "[F56]") {
  const std::vector<std::string> answers = {
      "nonsense\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
      "HTTP/1.1 101 Switching\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: " + std::string(80000, 'x') + "\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: cut",
      "",
  };
  for (const std::string& answer : answers) {
    INFO(answer.substr(0, 80));
    Origin origin([&](Wire& wire, const std::string&, int) {
      wire.send(answer);
      return false;
    });
    Bed bed;
    CHECK(status_of(bed.get(origin.url("/"))) == 502);
  }
}

TEST_CASE("http/proxy/hostile: interim responses without end are too many", "[F56]") {
  Origin origin([](Wire& wire, const std::string&, int) {
    for (int i = 0; i < 100; ++i)
      wire.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    return true;
  });
  Bed bed;
  Wire wire = bed.client();
  wire.send(request(origin.url("/")));
  std::string answer = wire.read_response();
  while (status_of(answer) == 103)
    answer = wire.read_response();
  CHECK(status_of(answer) == 502);
}

TEST_CASE("http/proxy/hostile: a body that ends too soon is seen to have ended too soon", "[F56]") {
  const std::vector<std::string> answers = {
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
  };
  for (const std::string& answer : answers) {
    INFO(answer);
    Origin origin([&](Wire& wire, const std::string&, int) {
      wire.send(answer);
      return false;
    });
    Bed bed;
    Wire wire = bed.client();
    wire.send(request(origin.url("/")));
    const std::string got = wire.read_to_end();
    CHECK_FALSE(has(got, "\r\n0\r\n"));
    REQUIRE(bed.log().size() == 1);
    CHECK(has(bed.log().front(), "cut"));
  }
}

TEST_CASE("http/proxy/hostile: an origin that hangs is left, in the head with 504", "[F56]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    if (has(head, "/body")) wire.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    wire.read();
    return false;
  });
  Bed bed;
  Wire head = bed.client();
  head.send(request(origin.url("/head")));
  Wire body = bed.client();
  body.send(request(origin.url("/body")));
  CHECK(has(body.read_head(), "200 OK"));
  CHECK(body.read_exactly(3) == "abc");
  CHECK(until([&] { return origin.requests() == 2; }));
  bed.pass_seconds(65);
  CHECK(body.is_ended());
  bed.pass_seconds(60);
  CHECK(status_of(head.read_response()) == 504);
}

TEST_CASE("http/proxy/hostile: octets behind a response belong to nobody", "[F56]") {
  // A second response rides behind the first; then the same late, when the connection is kept.
  for (const bool is_late : {false, true}) {
    Origin origin([&](Wire& wire, const std::string& head, int) {
      const std::string own = response("", head.substr(4, head.find(' ', 4) - 4));
      const std::string forged = response("", "forged");
      if (!is_late) return wire.send(own + forged);
      wire.send(own);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      return wire.send(forged);
    });
    Bed bed;
    Wire one = bed.client();
    one.send(request(origin.url("/one")));
    CHECK(body_of(one.read_response()) == "/one");
    CHECK(until([&] { return bed.load().idle_upstream == 0; }));
    Wire two = bed.client();
    two.send(request(origin.url("/two")));
    CHECK(body_of(two.read_response()) == "/two");
    CHECK(origin.connections() == 2);
  }
}

TEST_CASE("http/proxy/hostile: an answer before the end of a request's body comes through",
          "[F56]") {
  Origin origin([](Wire& wire, const std::string&, int) {
    wire.send("HTTP/1.1 413 Too much\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    return false;
  });
  Bed bed;
  Wire wire = bed.client();
  wire.send("POST " + origin.url("/") + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc");
  CHECK(status_of(wire.read_response()) == 413);
  CHECK(wire.is_ended());
}

TEST_CASE("http/proxy/hostile: one client has no more connections than its share", "[F56]") {
  Bed::Plan plan;
  plan.settings.limits.per_client = 3;
  Bed bed(std::move(plan));
  std::vector<Wire> wires;
  for (int i = 0; i < 3; ++i)
    wires.push_back(bed.client());
  CHECK(until([&] { return bed.load().clients == 3; }));
  Wire fourth = bed.client();
  CHECK(fourth.is_ended());
  CHECK(bed.counters().turned_away == 1);
  wires.pop_back();
  CHECK(until([&] { return bed.load().clients == 2; }));
  Wire fifth = bed.client();
  fifth.send(request(kUrl));
  CHECK(status_of(fifth.read_response()) == 403);  // a port that is not fetched from
}
