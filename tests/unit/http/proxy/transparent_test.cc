// SPDX-License-Identifier: BSD-3-Clause
// Connections that were led here on their way to somebody else.
#include <catch2/catch.hpp>

#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

namespace {

constexpr Ipv4Address kLoopback(127, 0, 0, 1);

// Names have the address `of_names`; connections were going to port `original` of loopback.
Bed::Plan plan_of(const uint16_t& original, const Ipv4Address& of_names) {
  Bed::Plan plan;
  plan.has_store = true;
  plan.seams.resolve = [&](const std::string&, const Seams::Resolved& then) {
    then(Seams::Addresses{Ipv4Address(198, 51, 100, 2), of_names});
  };
  plan.seams.original_destination = [&](int, const Peer&) { return Peer{kLoopback, original}; };
  return plan;
}

std::string ask(const Bed& bed, const std::string& host, const std::string& path = "/") {
  Wire wire = bed.client();
  wire.send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  return wire.read_response();
}

std::string with_port(const std::string& host, const Origin& origin) {
  return host + ":" + std::to_string(origin.port());
}

}  // namespace

TEST_CASE("http/proxy/transparent: of several addresses of a name the one that was meant is asked",
          "[F56][F58]") {
  Origin origin(always(response("Cache-Control: max-age=60\r\n", "here")));
  Ipv4Address judged;
  const uint16_t original = origin.port();
  Bed::Plan plan = plan_of(original, kLoopback);
  plan.seams.judge = [&](const Peer&, Ipv4Address destination, uint16_t) {
    judged = destination;
    return true;
  };
  Bed bed(std::move(plan));
  CHECK(body_of(ask(bed, with_port("shop.example", origin))) == "here");
  CHECK(judged == kLoopback);
  CHECK(body_of(ask(bed, with_port("SHOP.example", origin))) == "here");
  CHECK(origin.requests() == 1);
  // An address in Host needs no look-up.
  CHECK(body_of(ask(bed, with_port("127.0.0.1", origin))) == "here");
  CHECK(body_of(ask(bed, with_port("127.0.0.1", origin))) == "here");
  CHECK(origin.requests() == 2);
}

TEST_CASE("http/proxy/transparent: the port that was meant is asked, whatever Host says",
          "[F56][F58]") {
  Origin origin(always(response("Cache-Control: max-age=60\r\n", "here")));
  const uint16_t original = origin.port();
  Bed bed(plan_of(original, kLoopback));
  for (const char* host : {"shop.example", "shop.example:8081", "127.0.0.1"}) {
    INFO(host);
    CHECK(body_of(ask(bed, host)) == "here");
    CHECK(body_of(ask(bed, host)) == "here");
  }
  CHECK(origin.requests() == 6);
}

TEST_CASE("http/proxy/transparent: what another server says under a name reaches nobody else",
          "[F58]") {
  Origin mine(always(response("Cache-Control: max-age=60\r\n", "forged")));
  Origin real(always(response("Cache-Control: max-age=60\r\n", "real")));
  uint16_t original = real.port();
  Ipv4Address of_names = kLoopback;
  Bed bed(plan_of(original, of_names));
  const std::string host = with_port("shop.example", real);
  CHECK(body_of(ask(bed, host)) == "real");
  // Another server, of that port or not, neither replaces what is stored nor gets it told.
  bed.on_loop([&] { original = mine.port(); });
  CHECK(body_of(ask(bed, host)) == "forged");
  bed.on_loop([&] { original = real.port(); });
  CHECK(body_of(ask(bed, host)) == "real");
  CHECK(real.requests() == 1);
  // A name that has the address no more: what is stored under it is not for who goes there.
  bed.on_loop([&] { of_names = Ipv4Address(198, 51, 100, 3); });
  CHECK(body_of(ask(bed, host)) == "real");
  CHECK(real.requests() == 2);
}

TEST_CASE("http/proxy/transparent: a name that is permitted does not open another server",
          "[F57]") {
  Origin origin(always(response("", "here")));
  const uint16_t original = origin.port();
  Ipv4Address of_names = kLoopback;
  UrlRule good;
  good.host = "good.example";
  good.action = UrlAction::permit;
  Result<UrlRules> rules = UrlRules::compile({good}, UrlAction::deny);
  REQUIRE(rules);
  Bed::Plan plan = plan_of(original, of_names);
  plan.settings.url_rules = std::make_shared<const UrlRules>(std::move(*rules));
  Bed bed(std::move(plan));
  CHECK(status_of(ask(bed, with_port("bad.example", origin))) == 403);
  CHECK(status_of(ask(bed, with_port("good.example", origin))) == 200);
  bed.on_loop([&] { of_names = Ipv4Address(198, 51, 100, 3); });
  CHECK(status_of(ask(bed, with_port("good.example", origin))) == 403);
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/transparent: a private server that was meant is asked, the gateway is not",
          "[F58]") {
  const auto status = [](Ipv4Address original, Ipv4Address own) {
    Bed::Plan plan;
    plan.seams.original_destination = [=](int, const Peer&) { return Peer{original, 80}; };
    plan.seams.prepare_socket = [](int, const Peer&) { return false; };  // so far, and no further
    plan.settings.destinations.own = {{own, own}};
    Bed bed(std::move(plan));
    return status_of(ask(bed, to_text(original)));
  };
  const Ipv4Address modem(192, 168, 100, 1), gateway(192, 168, 1, 1);
  CHECK(status(modem, gateway) == 500);
  CHECK(status(gateway, gateway) == 403);
}

TEST_CASE("http/proxy/transparent: it is no proxy for those who know of it", "[F58]") {
  Origin origin(always(response("", "here")));
  const uint16_t original = origin.port();
  Bed::Plan plan = plan_of(original, kLoopback);
  plan.settings.destinations.connect_ports = {origin.port()};
  Bed bed(std::move(plan));
  const std::string host = with_port("shop.example", origin);
  Wire wire = bed.client();
  wire.send("CONNECT " + host + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  CHECK(status_of(wire.read_response()) == 421);
  CHECK(origin.connections() == 0);
  // The form for proxies leads to the same server as the other.
  Wire absolute = bed.client();
  absolute.send("GET http://198.51.100.9/ HTTP/1.1\r\nHost: 198.51.100.9\r\n\r\n");
  CHECK(body_of(absolute.read_response()) == "here");
}

TEST_CASE("http/proxy/transparent: a parent is not asked under a name that may be another's",
          "[F58]") {
  Origin parent(always(response("", "parent")));
  const uint16_t original = 80;
  Ipv4Address of_names = kLoopback;
  Bed::Plan plan = plan_of(original, of_names);
  plan.seams.judge = [](const Peer&, Ipv4Address, uint16_t) { return true; };
  plan.settings.parent.emplace();
  plan.settings.parent->host = "127.0.0.1";
  plan.settings.parent->port = parent.port();
  Bed bed(std::move(plan));
  CHECK(body_of(ask(bed, "shop.example")) == "parent");
  bed.on_loop([&] { of_names = Ipv4Address(198, 51, 100, 3); });
  CHECK(status_of(ask(bed, "shop.example")) == 421);
  CHECK(parent.requests() == 1);
}

TEST_CASE("http/proxy/transparent: a connection that was for nobody known ends at once", "[F56]") {
  Bed::Plan plan;
  plan.seams.original_destination = [](int, const Peer&) { return Peer{}; };
  Bed bed(std::move(plan));
  Wire wire = bed.client();
  wire.send("GET http://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  CHECK(wire.read_to_end().empty());
  CHECK(bed.counters().turned_away == 1);
  CHECK(bed.counters().requests == 0);
}
