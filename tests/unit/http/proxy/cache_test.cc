// SPDX-License-Identifier: BSD-3-Clause
// The proxy with a store.
#include <atomic>
#include <catch2/catch.hpp>

#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

TEST_CASE("http/proxy/cache: the second fetch asks nobody", "[F56][RFC9111-4]") {
  for (const size_t size : {size_t{0}, size_t{1000}, size_t{70'000}, size_t{3'000'000}}) {
    INFO(size);
    const std::string body = pattern(size);
    Origin origin(always(response(kFresh, body)));
    Bed bed(with_store());
    for (int i = 0; i < 3; ++i)
      CHECK(difference(body_of(bed.get(origin.url("/"))), body) == "");
    CHECK(origin.requests() == 1);
    const std::string hit = bed.get(origin.url("/"));
    CHECK(has(hit, "Age: "));
    CHECK(has(hit, "Cache-Status: postern; hit"));
    CHECK(bed.counters().hits == 3);
  }
}

TEST_CASE("http/proxy/cache: what may not be kept is not",
          "[F56][RFC9111-5.2.2.5][RFC9111-5.2.2.7]") {
  for (const char* control : {"no-store", "private", "max-age=600, private"}) {
    Origin origin(always(response(std::string("Cache-Control: ") + control + "\r\n", "x")));
    Bed bed(with_store());
    bed.get(origin.url("/"));
    bed.get(origin.url("/"));
    CHECK(origin.requests() == 2);
  }
}

TEST_CASE("http/proxy/cache: what was cut short answers nobody", "[F56]") {
  Origin origin([](Wire& wire, const std::string&, int number) {
    if (number > 0) return wire.send(response(kFresh, "whole"));
    wire.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 100\r\n\r\nabc");
    return false;
  });
  Bed bed(with_store());
  Wire wire = bed.client();
  wire.send(request(origin.url("/")));
  wire.read_to_end();
  CHECK(body_of(bed.get(origin.url("/"))) == "whole");
}

TEST_CASE("http/proxy/cache: stale responses are validated, and those that changed replaced",
          "[F56][RFC9111-4.3.1][RFC9111-4.3.4]") {
  std::string tag = "\"one\"";
  Origin origin([&](Wire& wire, const std::string& head, int) {
    const std::string fields = "Cache-Control: max-age=0\r\nETag: " + tag + "\r\n";
    if (has(head, "If-None-Match: " + tag))
      return wire.send("HTTP/1.1 304 Same\r\n" + fields + "\r\n");
    return wire.send(response(fields, "body of " + tag));
  });
  Bed bed(with_store());
  CHECK(body_of(bed.get(origin.url("/"))) == "body of \"one\"");
  CHECK(body_of(bed.get(origin.url("/"))) == "body of \"one\"");
  CHECK(bed.counters().revalidated == 1);
  CHECK(status_of(bed.get(origin.url("/"), "If-None-Match: \"one\"\r\n")) == 304);
  tag = "\"two\"";
  CHECK(body_of(bed.get(origin.url("/"))) == "body of \"two\"");
  CHECK(body_of(bed.get(origin.url("/"))) == "body of \"two\"");
  CHECK(bed.counters().revalidated == 3);
}

TEST_CASE("http/proxy/cache: responses that vary are kept for each kind of request",
          "[F56][RFC9111-4.1]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    const std::string language = has(head, "Accept-Language: de") ? "de" : "en";
    return wire.send(response(std::string(kFresh) + "Vary: Accept-Language\r\n", language));
  });
  Bed bed(with_store());
  for (int i = 0; i < 2; ++i) {
    CHECK(body_of(bed.get(origin.url("/"), "Accept-Language: de\r\n")) == "de");
    CHECK(body_of(bed.get(origin.url("/"), "Accept-Language: en\r\n")) == "en");
  }
  CHECK(origin.requests() == 2);
}

TEST_CASE("http/proxy/cache: twenty clients of one new object cause one fetch", "[P28]") {
  const std::string body = pattern(400'000);
  std::atomic<int> stage = 0;
  Origin origin([&](Wire& wire, const std::string&, int) {
    until([&] { return stage >= 1; });
    wire.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 400000\r\n\r\n" +
              body.substr(0, 200'000));
    until([&] { return stage >= 2; });
    return wire.send(body.substr(200'000));
  });
  Bed bed(with_store());
  std::vector<Wire> wires;
  const auto ask = [&](size_t count) {
    while (wires.size() < count) {
      wires.push_back(bed.client());
      wires.back().send(request(origin.url("/")));
    }
    CHECK(until([&] { return bed.counters().requests == count; }));
  };
  // Some come before the head, some within the body.
  ask(10);
  stage = 1;
  wires.front().read_head();
  std::string first_body = wires.front().read_exactly(100'000);
  ask(20);
  stage = 2;
  first_body += wires.front().read_exactly(300'000);
  CHECK(difference(first_body, body) == "");
  for (size_t i = 1; i < wires.size(); ++i)
    CHECK(difference(body_of(wires[i].read_response()), body) == "");
  CHECK(origin.requests() == 1);
  CHECK(bed.counters().collapsed == 19);
}

TEST_CASE("http/proxy/cache: others get the rest when the first client leaves", "[P28]") {
  const std::string body = pattern(400'000);
  std::atomic<bool> goes_on = false;
  Origin origin([&](Wire& wire, const std::string&, int) {
    wire.send(
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nTransfer-Encoding: chunked\r\n\r\n"
        "30d40\r\n" +
        body.substr(0, 200'000) + "\r\n");
    until([&] { return goes_on.load(); });
    return wire.send("30d40\r\n" + body.substr(200'000) + "\r\n0\r\n\r\n");
  });
  Bed bed(with_store());
  Wire first = bed.client();
  first.send(request(origin.url("/")));
  first.read_head();
  Wire second = bed.client();
  second.send(request(origin.url("/")));
  CHECK(until([&] { return bed.counters().requests == 2; }));
  first.reset();
  CHECK(until([&] { return bed.load().clients == 1; }));
  goes_on = true;
  CHECK(difference(body_of(second.read_response()), body) == "");
  CHECK(difference(body_of(bed.get(origin.url("/"))), body) == "");
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/cache: a slow first client does not hold up the others", "[P28]") {
  const std::string body = pattern(20'000'000);
  Origin origin(always(response(kFresh, body)));
  Bed bed(with_store());
  Wire slow = bed.client();
  slow.send(request(origin.url("/")));
  slow.read_head();
  Wire quick = bed.client();
  quick.send(request(origin.url("/")));
  CHECK(difference(body_of(quick.read_response()), body) == "");
  CHECK(difference(slow.read_exactly(body.size()), body) == "");
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/cache: a first client that waits gives way to one that comes later",
          "[P28]") {
  const std::string body = pattern(20'000'000);
  Origin origin(always(response(kFresh, body)));
  Bed bed(with_store());
  Wire slow = bed.client();
  slow.send(request(origin.url("/")));
  slow.read_head();
  // Until nothing moves any more: the first client has all that it takes unread.
  bed.wait_until_still();
  CHECK(bed.counters().bytes_from_upstream < body.size());
  CHECK(difference(body_of(bed.get(origin.url("/"))), body) == "");
  CHECK(difference(slow.read_exactly(body.size()), body) == "");
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/cache: what all clients have left is fetched on only where that is wanted",
          "[F56]") {
  for (const bool finishes : {false, true}) {
    const std::string body = pattern(100'000);
    std::atomic<bool> goes_on = false;
    Origin origin([&](Wire& wire, const std::string&, int) {
      wire.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 100000\r\n\r\n" +
                body.substr(0, 50'000));
      until([&] { return goes_on.load(); });
      return wire.send(body.substr(50'000));
    });
    Bed::Plan plan = with_store();
    plan.settings.finishes_aborted = finishes;
    Bed bed(std::move(plan));
    Wire wire = bed.client();
    wire.send(request(origin.url("/")));
    wire.read_head();
    wire.reset();
    CHECK(until([&] { return bed.load().clients == 0; }));
    CHECK(bed.load().transfers == (finishes ? 1 : 0));
    goes_on = true;
    CHECK(until([&] { return bed.load().transfers == 0; }));
    CHECK(difference(body_of(bed.get(origin.url("/"))), body) == "");
    CHECK(origin.requests() == (finishes ? 1 : 2));
  }
}

TEST_CASE("http/proxy/cache: offline, what is stored is served, and nothing is asked",
          "[F56][RFC9111-4.2.4]") {
  Origin origin(always(response("Cache-Control: max-age=0\r\nETag: \"a\"\r\n", "x")));
  Bed bed(with_store());
  bed.get(origin.url("/"));
  bed.on_loop([&] {
    ProxySettings settings;
    ProxyListener at;
    at.address = Ipv4Address(127, 0, 0, 1);
    at.port = 0;
    settings.listeners = {at};
    settings.destinations.allowed = {{at.address, at.address}};
    settings.serve.is_offline = true;
    CHECK(bed.proxy().apply(settings).has_value());
  });
  CHECK(body_of(bed.get(origin.url("/"))) == "x");
  CHECK(status_of(bed.get(origin.url("/other"))) == 504);
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/cache: a stale response stands in for an origin that fails",
          "[F56][RFC9111-4.2.4]") {
  auto origin = std::make_unique<Origin>(
      always(response("Cache-Control: max-age=0, stale-if-error=100\r\nETag: \"a\"\r\n", "x")));
  Bed bed(with_store());
  const std::string url = origin->url("/");
  bed.get(url);
  origin.reset();
  const std::string answer = bed.get(url);
  CHECK(status_of(answer) == 200);
  CHECK(body_of(answer) == "x");
}

TEST_CASE("http/proxy/cache: unsafe requests make what is stored of their target invalid",
          "[F56][RFC9111-4.4]") {
  Origin origin([](Wire& wire, const std::string&, int number) {
    return wire.send(response(kFresh, std::to_string(number)));
  });
  Bed bed(with_store());
  CHECK(body_of(bed.get(origin.url("/"))) == "0");
  CHECK(body_of(bed.get(origin.url("/"))) == "0");
  Wire wire = bed.client();
  wire.send("DELETE " + origin.url("/") + " HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(body_of(wire.read_response()) == "1");
  CHECK(body_of(bed.get(origin.url("/"))) == "2");
}

TEST_CASE("http/proxy/cache: the store is no way around the rules of a client", "[F58]") {
  Origin origin(always(response(kFresh, "x")));
  bool is_permitted = true;
  Bed::Plan plan = with_store();
  plan.seams.judge = [&](const Peer&, Ipv4Address, uint16_t) { return is_permitted; };
  Bed bed(std::move(plan));
  CHECK(status_of(bed.get(origin.url("/"))) == 200);
  CHECK(status_of(bed.get(origin.url("/"))) == 200);
  bed.on_loop([&] { is_permitted = false; });
  CHECK(status_of(bed.get(origin.url("/"))) == 403);
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/cache: what the store cannot hold goes through all the same", "[C19]") {
  // More than the whole file of the cache: with a length, so that it is clear at once, and without.
  const std::string chunk = pattern(1'000'000);
  constexpr size_t kChunks = 90;
  for (const bool is_chunked : {false, true}) {
    Origin origin([&](Wire& wire, const std::string&, int) {
      wire.send(
          std::string("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n") +
          (is_chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: 90000000\r\n\r\n"));
      for (size_t i = 0; i < kChunks; ++i)
        wire.send(is_chunked ? "f4240\r\n" + chunk + "\r\n" : chunk);
      return !is_chunked || wire.send("0\r\n\r\n");
    });
    Bed bed(with_store());
    for (int i = 0; i < 2; ++i) {
      const std::string body = body_of(bed.get(origin.url("/")));
      REQUIRE(body.size() == kChunks * chunk.size());
      for (size_t at = 0; at < body.size(); at += chunk.size())
        REQUIRE(difference(std::string_view(body).substr(at, chunk.size()), chunk) == "");
    }
    CHECK(origin.requests() == 2);
    // Nor does it stand in the way of others.
    Origin other(always(response(kFresh, "small")));
    CHECK(body_of(bed.get(other.url("/"))) == "small");
    bed.wait_for_disk();
    CHECK(body_of(bed.get(other.url("/"))) == "small");
    CHECK(other.requests() == 1);
  }
}

TEST_CASE("http/proxy/cache: responses that are for one client only do not make others wait twice",
          "[P28]") {
  std::atomic<int> under_way = 0;
  Origin origin([&](Wire& wire, const std::string&, int number) {
    ++under_way;
    // The first is known to be for its client alone; then both others are asked for at once.
    if (number > 0) until([&] { return under_way == 3; });
    return wire.send(response("Cache-Control: private\r\n", "mine"));
  });
  Bed bed(with_store());
  bed.get(origin.url("/"));
  Wire one = bed.client();
  Wire two = bed.client();
  one.send(request(origin.url("/")));
  two.send(request(origin.url("/")));
  CHECK(until([&] { return under_way == 3; }));
  CHECK(body_of(one.read_response()) == "mine");
  CHECK(body_of(two.read_response()) == "mine");
}

TEST_CASE("http/proxy/cache: a HEAD that shows another object makes the stored one invalid",
          "[F56][RFC9111-4.3.5]") {
  std::string tag = "\"one\"";
  Origin origin([&](Wire& wire, const std::string& head, int) {
    const std::string fields = "Cache-Control: max-age=0\r\nETag: " + tag + "\r\n";
    if (has(head, "HEAD "))
      return wire.send("HTTP/1.1 200 OK\r\n" + fields + "Content-Length: 5\r\n\r\n");
    return wire.send(response(fields, tag));
  });
  Bed bed(with_store());
  bed.get(origin.url("/"));
  tag = "\"two\"";
  Wire wire = bed.client();
  wire.send("HEAD " + origin.url("/") + " HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(status_of(wire.read_response(false)) == 200);
  const std::string offline =
      bed.get(origin.url("/"), "Cache-Control: only-if-cached, max-stale\r\n");
  CHECK(status_of(offline) == 504);
}
