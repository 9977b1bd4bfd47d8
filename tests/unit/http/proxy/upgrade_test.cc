// SPDX-License-Identifier: BSD-3-Clause
// Requests that would go over to another protocol (RFC 9110 section 7.8).
#include <catch2/catch.hpp>
#include <thread>

#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

namespace {

constexpr const char* kWish = "Connection: Upgrade, X-Hop\r\nX-Hop: 1\r\nUpgrade: websocket\r\n";

Bed::Plan with(UpgradeRule rule) {
  Bed::Plan plan = with_store();
  plan.settings.upgrade = rule;
  return plan;
}

// Goes over to a protocol that echoes, where it is asked to.
bool echo(Wire& wire, const std::string& head, int) {
  if (!has(head, "Upgrade: websocket\r\n") || !has(head, "Connection: upgrade\r\n"))
    return wire.send(response(kFresh, "plain"));
  wire.send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Accept: x\r\n\r\nearly");
  for (std::string octets = wire.read(); !octets.empty(); octets = wire.read())
    wire.send(octets);
  return false;
}

}  // namespace

TEST_CASE("http/proxy/upgrade: where it is permitted, octets go both ways", "[F56][RFC9110-7.8]") {
  Origin origin(echo);
  Bed bed(with(UpgradeRule::tunnel));
  Wire wire = bed.client();
  wire.send(request(origin.url("/chat"), kWish) + "sent ahead");
  const std::string head = wire.read_head();
  CHECK(status_of(head) == 101);
  CHECK(has(head, "\r\nConnection: upgrade\r\n"));
  CHECK(has(head, "\r\nUpgrade: websocket\r\n"));
  CHECK(has(head, "\r\nSec-WebSocket-Accept: x\r\n"));
  CHECK_FALSE(has(head, "X-Hop"));
  CHECK(wire.read_exactly(15) == "earlysent ahead");
  const std::string big = pattern(500'000);
  std::thread sender([&] { wire.send(big); });
  CHECK(difference(wire.read_exactly(big.size()), big) == "");
  sender.join();
  wire.finish();
  CHECK(wire.is_ended());
  CHECK(bed.counters().tunnels == 1);
  REQUIRE(bed.log().size() == 1);
  CHECK(has(bed.log().front(), "GET 101 "));
}

TEST_CASE("http/proxy/upgrade: where it is not, the wish is not passed on", "[F56][RFC9110-7.8]") {
  Origin origin(echo);
  Bed bed(with(UpgradeRule::refuse));
  CHECK(body_of(bed.get(origin.url("/"), kWish)) == "plain");
  CHECK(bed.counters().tunnels == 0);
}

TEST_CASE("http/proxy/upgrade: the origin may answer in HTTP", "[F56]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    if (!has(head, "Upgrade: websocket\r\n")) return false;
    return wire.send("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
  });
  Bed bed(with(UpgradeRule::tunnel));
  Wire wire = bed.client();
  for (int i = 0; i < 2; ++i) {
    wire.send(request(origin.url("/"), kWish));
    const std::string answer = wire.read_response();
    CHECK(status_of(answer) == 403);
    CHECK(body_of(answer) == "no");
  }
}

TEST_CASE("http/proxy/upgrade: wishes that would hide requests, or are none, are not passed on",
          "[F56][RFC9110-7.8]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    return wire.send(response("", has(head, "Upgrade:") ? "passed on" : "plain"));
  });
  Bed bed(with(UpgradeRule::tunnel));
  const auto of_fields = [&](const std::string& fields) {
    return body_of(bed.get(origin.url("/"), fields));
  };
  CHECK(of_fields("Connection: upgrade\r\nUpgrade: websocket\r\n") == "passed on");
  for (const char* fields :
       {"Upgrade: websocket\r\n", "Connection: upgrade\r\n",
        "Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Connection: upgrade\r\nUpgrade: H2C, websocket\r\n",
        "Connection: upgrade\r\nUpgrade: websocket, HTTP/2.0\r\n",
        "Connection: upgrade\r\nUpgrade: TLS/1.0\r\n",
        "Connection: upgrade\r\nUpgrade: a\r\nUpgrade: h2c\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n"}) {
    INFO(fields);
    Wire wire = bed.client();
    wire.send(request(origin.url("/"), fields) + (has(fields, "Length") ? "x" : ""));
    CHECK(body_of(wire.read_response()) == "plain");
  }
  Wire old = bed.client();
  old.send("GET " + origin.url("/") +
           " HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  CHECK(body_of(old.read_to_end()) == "plain");
}

TEST_CASE("http/proxy/upgrade: a server that goes over unasked is wrong", "[F56]") {
  Origin origin([](Wire& wire, const std::string&, int) {
    return wire.send("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
  });
  Bed bed(with(UpgradeRule::tunnel));
  CHECK(status_of(bed.get(origin.url("/"))) == 502);
}
