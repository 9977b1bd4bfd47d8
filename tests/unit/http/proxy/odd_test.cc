// SPDX-License-Identifier: BSD-3-Clause
// Old clients, slow ones, and origins that lie or stop, with a store behind them: whoever asks next
// gets the right thing.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

namespace {

std::string ask_old(const Bed& bed, const std::string& url, const std::string& fields = {}) {
  Wire wire = bed.client();
  wire.send("GET " + url + " HTTP/1.0\r\n" + fields + "\r\n");
  return wire.read_to_end();
}

}  // namespace

TEST_CASE("http/proxy/odd: an HTTP/1.0 client gets the whole body and then the end",
          "[F56][RFC9110-10.1.1][RFC9112-9.3]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    if (has(head, "Expect")) return false;
    wire.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    return wire.send(std::string("HTTP/1.1 200 OK\r\n") + kFresh +
                     "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  });
  Bed bed(with_store());
  // From the origin, then out of the store.
  for (int i = 0; i < 2; ++i) {
    const std::string answer = ask_old(bed, origin.url("/"), "Expect: 100-continue\r\n");
    CHECK(status_of(answer) == 200);
    CHECK(has(answer, "Connection: close\r\n"));
    CHECK_FALSE(has(answer, "Transfer-Encoding"));
    CHECK(body_of(answer) == "abc");
  }
  CHECK(origin.requests() == 1);
  CHECK(status_of(ask_old(bed, origin.url("/"), "Connection: keep-alive\r\n")) == 200);
}

TEST_CASE("http/proxy/odd: pipelined requests of all kinds are answered in their order",
          "[F56][RFC9112-9.3]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    if (has(head, "chunked")) return wire.send(response("", "posted " + wire.read_exactly(14)));
    if (has(head, "POST ")) return wire.send(response("", "posted " + wire.read_exactly(4)));
    const std::string path = head.substr(4, head.find(' ', 4) - 4);
    return wire.send(response(path == "/kept" ? kFresh : "Cache-Control: no-store\r\n", path));
  });
  Bed bed(with_store());
  bed.get(origin.url("/kept"));
  Wire wire = bed.client();
  const std::string post = "POST " + origin.url("/") + " HTTP/1.1\r\nHost: a\r\n";
  wire.send(request(origin.url("/one")) + request(origin.url("/kept")) + post +
            "Content-Length: 4\r\n\r\nbody" + request(origin.url("/kept")) + post +
            "Transfer-Encoding: chunked\r\n\r\n4\r\nmore\r\n0\r\n\r\n" +
            request("http://127.0.0.1:25/") + request(origin.url("/two")));
  CHECK(body_of(wire.read_response()) == "/one");
  CHECK(body_of(wire.read_response()) == "/kept");
  CHECK(body_of(wire.read_response()) == "posted body");
  CHECK(body_of(wire.read_response()) == "/kept");
  CHECK(body_of(wire.read_response()) == "posted 4\r\nmore\r\n0\r\n\r\n");
  CHECK(status_of(wire.read_response()) == 403);
  CHECK(body_of(wire.read_response()) == "/two");
}

TEST_CASE("http/proxy/odd: a client that stops within its body is left, and the origin gets no end",
          "[F56]") {
  std::atomic<bool> is_cut = false;
  Origin origin([&](Wire& wire, const std::string&, int) {
    const std::string body = wire.read_exactly(10);
    is_cut = body == "abc";
    return false;
  });
  Bed bed;
  Wire wire = bed.client();
  wire.send("POST " + origin.url("/") + " HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  CHECK(until([&] { return origin.requests() == 1; }));
  CHECK(until([&] {
    bed.pass_seconds(30);
    return bed.counters().too_slow == 1;
  }));
  CHECK(wire.is_ended());
  CHECK(until([&] { return is_cut.load(); }));
  CHECK(bed.load().transfers == 0);
}

TEST_CASE("http/proxy/odd: what is too much of a body is refused unread", "[F56]") {
  Bed::Plan plan;
  plan.settings.limits.request_body_bytes = 5;
  Bed bed(std::move(plan));
  Wire wire = bed.client();
  wire.send(
      "POST http://127.0.0.1:1/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
      "Content-Length: 6\r\n\r\n");
  CHECK(status_of(wire.read_response()) == 413);
  CHECK(wire.is_ended());
}

TEST_CASE("http/proxy/odd: what an origin did not bring to its end is not kept",
          "[F56][RFC9111-3.3]") {
  const std::string head = std::string("HTTP/1.1 200 OK\r\n") + kFresh;
  const std::vector<std::string> answers = {
      head + "Content-Length: 100\r\n\r\nabc",
      head + "Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
      head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
      head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
      head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
      head + "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
      head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc",
  };
  for (const std::string& answer : answers) {
    INFO(answer);
    Origin origin([&](Wire& wire, const std::string&, int number) {
      if (number > 0) return wire.send(response(kFresh, "whole"));
      wire.send(answer);
      return false;
    });
    Bed bed(with_store());
    Wire wire = bed.client();
    wire.send(request(origin.url("/")));
    CHECK_FALSE(has(wire.read_to_end(), "\r\n0\r\n\r\n"));
    CHECK(body_of(bed.get(origin.url("/"))) == "whole");
    CHECK(body_of(bed.get(origin.url("/"))) == "whole");
    CHECK(origin.requests() == 2);
  }
}

TEST_CASE("http/proxy/odd: an origin that hangs within a body ends it for all, and keeps nothing",
          "[F56]") {
  std::atomic<bool> hangs = true;
  Origin origin([&](Wire& wire, const std::string&, int) {
    if (!hangs) return wire.send(response(kFresh, "whole"));
    wire.send(std::string("HTTP/1.1 200 OK\r\n") + kFresh + "Content-Length: 9\r\n\r\nabc");
    wire.read();
    return false;
  });
  Bed bed(with_store());
  Wire one = bed.client();
  one.send(request(origin.url("/")));
  one.read_head();
  Wire two = bed.client();
  two.send(request(origin.url("/")));
  two.read_head();
  CHECK(two.read_exactly(3) == "abc");
  hangs = false;
  bed.pass_seconds(65);
  CHECK(one.read_exactly(9) == "abc");
  CHECK(two.read_to_end().empty());
  CHECK(body_of(bed.get(origin.url("/"))) == "whole");
  CHECK(origin.requests() == 2);
}

TEST_CASE("http/proxy/odd: octets behind a kept response are not part of it", "[F56]") {
  Origin origin(always(response(kFresh, "mine") + response(kFresh, "forged")));
  Bed bed(with_store());
  for (int i = 0; i < 2; ++i) {
    CHECK(body_of(bed.get(origin.url("/"))) == "mine");
    CHECK(body_of(bed.get(origin.url("/other"))) == "mine");
  }
  CHECK(origin.requests() == 2);
}

TEST_CASE("http/proxy/odd: coded content goes through and is kept as it came", "[F56]") {
  // The head of a gzip file, then what would not unpack: nobody here tries.
  const std::string coded = "\x1f\x8b\x08" + pattern(300'000);
  Origin origin(always(response(std::string(kFresh) + "Content-Encoding: gzip\r\n", coded)));
  Bed bed(with_store());
  for (int i = 0; i < 2; ++i) {
    const std::string answer = bed.get(origin.url("/"), "Accept-Encoding: gzip\r\n");
    CHECK(has(answer, "Content-Encoding: gzip\r\n"));
    CHECK(difference(body_of(answer), coded) == "");
  }
  CHECK(bed.counters().bytes_from_upstream == coded.size());
}

TEST_CASE("http/proxy/odd: many clients at once each get what they asked for", "[F56]") {
  // Some URLs are kept, some not, some vary, some come slowly and are left in the middle.
  Origin origin([](Wire& wire, const std::string& head, int number) {
    const std::string path = head.substr(4, head.find(' ', 4) - 4);
    const size_t at = head.find("X-Who: ");
    const std::string who = head.substr(at, head.find("\r\n", at) - at);
    const std::string body = path + who + pattern(static_cast<size_t>(number % 7) * 20'000);
    const bool varies = has(path, "vary");
    const std::string control = has(path, "mine") ? "Cache-Control: private\r\n" : kFresh;
    return wire.send(response(control + (varies ? "Vary: X-Who\r\n" : "") + "X-Path: " + path +
                                  "\r\n" +
                                  (varies || has(path, "mine") ? "X-For: " + who + "\r\n" : ""),
                              body));
  });
  Bed bed(with_store());
  std::atomic<int> wrong = 0;
  std::vector<std::thread> clients;
  for (int client = 0; client < 8; ++client) {
    clients.emplace_back([&, client] {
      const std::string who = "X-Who: " + std::to_string(client % 3);
      Wire wire = bed.client();
      for (int i = 0; i < 60; ++i) {
        const char* kind = i % 3 == 0 ? "/vary/" : i % 3 == 1 ? "/all/" : "/mine/";
        const std::string path = kind + std::to_string(i % 13);
        wire.send(request(origin.url(path), who + "\r\n"));
        const std::string answer = wire.read_response();
        const bool is_right = has(answer, "X-Path: " + path + "\r\n") &&
                              body_of(answer).starts_with(path + "X-Who: ");
        const bool is_for_us = i % 3 == 1 || has(answer, "X-For: " + who + "\r\n");
        if (!is_right || !is_for_us) ++wrong;
        if (i % 10 == 9) {
          Wire leaver = bed.client();
          leaver.send(request(origin.url("/all/" + std::to_string(100 + i)), who + "\r\n"));
          leaver.reset();
        }
      }
    });
  }
  for (std::thread& client : clients)
    client.join();
  CHECK(wrong == 0);
}
