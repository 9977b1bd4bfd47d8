// SPDX-License-Identifier: BSD-3-Clause
// Who may have what, and where the proxy connects to.
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

namespace {

Seams::Addresses loopback() {
  return {Ipv4Address(127, 0, 0, 1)};
}

std::string hello(std::string_view name) {
  const auto number = [](size_t value, size_t octets) {
    std::string text;
    for (size_t i = octets; i-- > 0;)
      text += static_cast<char>(value >> (8 * i) & 0xff);
    return text;
  };
  const auto counted = [&](const std::string& text, size_t octets) {
    return number(text.size(), octets) + text;
  };
  const std::string entry = number(0, 1) + counted(std::string(name), 2);
  const std::string extension = number(0, 2) + counted(counted(entry, 2), 2);
  const std::string body = "\x03\x03" + std::string(32, 'r') + counted("", 1) +
                           counted("\x13\x01", 2) + counted(std::string(1, '\0'), 1) +
                           counted(extension, 2);
  return "\x16\x03\x01" + counted("\x01" + counted(body, 3), 2);
}

std::shared_ptr<const UrlRules> deny_host(const std::string& host) {
  UrlRule rule;
  rule.host = host;
  rule.message = "not here";
  Result<UrlRules> rules = UrlRules::compile({rule}, UrlAction::permit);
  REQUIRE(rules);
  return std::make_shared<const UrlRules>(std::move(*rules));
}

}  // namespace

TEST_CASE("http/proxy/policy: addresses that are not public are not connected to", "[F58]") {
  Bed::Plan plan;
  plan.seams.resolve = [](const std::string& name, const Seams::Resolved& then) {
    then(Seams::Addresses{name == "rebound.example" ? Ipv4Address(192, 168, 1, 1)
                                                    : Ipv4Address(169, 254, 169, 254)});
  };
  plan.settings.destinations.own = {{Ipv4Address(8, 8, 8, 8), Ipv4Address(8, 8, 8, 8)}};
  Bed bed(std::move(plan));
  for (const char* host : {"rebound.example", "metadata.example", "10.0.0.1", "100.64.0.1",
                           "224.0.0.1", "0.0.0.0", "127.0.0.2", "8.8.8.8"}) {
    INFO(host);
    CHECK(status_of(bed.get(std::string("http://") + host + "/")) == 403);
  }
}

TEST_CASE("http/proxy/policy: a client that may not reach a server does not by the proxy",
          "[F58]") {
  Origin origin(always(response("", "x")));
  bool is_permitted = true;
  Bed::Plan plan;
  plan.seams.judge = [&](const Peer& client, Ipv4Address destination, uint16_t port) {
    CHECK(client.address == Ipv4Address(127, 0, 0, 1));
    CHECK(destination == Ipv4Address(127, 0, 0, 1));
    CHECK(port == origin.port());
    return is_permitted;
  };
  Bed bed(std::move(plan));
  Wire wire = bed.client();
  wire.send(request(origin.url("/")));
  CHECK(status_of(wire.read_response()) == 200);
  bed.on_loop([&] { is_permitted = false; });
  // The connection that is kept is no way around.
  wire.send(request(origin.url("/")));
  CHECK(status_of(wire.read_response()) == 403);
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/policy: URL rules refuse with their message, and names in TLS, too",
          "[F57][P27]") {
  Origin server([](Wire&, const std::string&, int) { return false; });
  Bed::Plan plan;
  plan.settings.url_rules = deny_host("bad.example");
  plan.settings.destinations.connect_ports = {server.port()};
  plan.seams.resolve = [](const std::string&, const Seams::Resolved& then) { then(loopback()); };
  Bed bed(std::move(plan));
  const std::string answer = bed.get("http://bad.example/");
  CHECK(status_of(answer) == 403);
  CHECK(has(answer, "not here"));
  const std::string port = std::to_string(server.port());
  for (const bool is_split : {false, true}) {
    Wire wire = bed.client();
    wire.send("CONNECT good.example:" + port + " HTTP/1.1\r\nHost: good.example:" + port +
              "\r\n\r\n");
    CHECK(status_of(wire.read_head()) == 200);
    const std::string octets = hello("Bad.Example");
    if (is_split) {
      wire.send(octets.substr(0, 20));
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      wire.send(octets.substr(20));
    } else {
      wire.send(octets);
    }
    CHECK(wire.is_ended());
  }
  REQUIRE(bed.log().size() == 3);
  CHECK(has(bed.log().back(), "server name bad.example denied"));
}

TEST_CASE("http/proxy/policy: the name in TLS is judged as that of CONNECT, with its port",
          "[F57][P27]") {
  Origin server([](Wire& wire, const std::string&, int) { return wire.send("served"); });
  const std::string port = std::to_string(server.port());
  UrlRule permit;
  permit.expression = "^good\\.example:" + port + "$";
  permit.action = UrlAction::permit;
  Result<UrlRules> rules = UrlRules::compile({permit}, UrlAction::deny);
  REQUIRE(rules);
  Bed::Plan plan;
  plan.settings.url_rules = std::make_shared<const UrlRules>(std::move(*rules));
  plan.settings.destinations.connect_ports = {server.port()};
  plan.seams.resolve = [](const std::string&, const Seams::Resolved& then) { then(loopback()); };
  Bed bed(std::move(plan));
  for (const char* name : {"Good.Example", "bad.example"}) {
    INFO(name);
    Wire wire = bed.client();
    wire.send("CONNECT good.example:" + port + " HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(status_of(wire.read_head()) == 200);
    wire.send(hello(name) + "\r\n\r\n");
    CHECK((wire.read_exactly(6) == "served") == (name[0] == 'G'));
  }
}

TEST_CASE("http/proxy/policy: a tunnel carries octets both ways and ends with its sides", "[P27]") {
  Origin server([](Wire& wire, const std::string& head, int) { return wire.send("echo " + head); });
  Bed::Plan plan;
  plan.settings.destinations.connect_ports = {server.port()};
  Bed bed(std::move(plan));
  Wire wire = bed.client();
  const std::string target = "127.0.0.1:" + std::to_string(server.port());
  wire.send("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\nearly\r\n\r\n");
  CHECK(status_of(wire.read_head()) == 200);
  CHECK(wire.read_exactly(14) == "echo early\r\n\r\n");
  wire.send("more\r\n\r\n");
  CHECK(wire.read_exactly(13) == "echo more\r\n\r\n");
  wire.finish();
  CHECK(wire.is_ended());
  REQUIRE(bed.log().size() == 1);
  CHECK(bed.log().front() == "CONNECT 200 27 none whole ");
  Wire idle = bed.client();
  idle.send("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n");
  CHECK(status_of(idle.read_head()) == 200);
  bed.pass_seconds(1000);
  CHECK(idle.is_ended());
}

TEST_CASE("http/proxy/policy: who is not known is asked", "[F57]") {
  Origin origin(always(response("", "x")));
  int checks = 0;
  Bed::Plan plan;
  plan.settings.asks_login = true;
  plan.seams.check_password = [&](const std::string& user, const std::string& password, Ipv4Address,
                                  const Seams::Verified& then) {
    ++checks;
    const Identity identity{user, {7}};
    then(password == "right" ? &identity : nullptr);
  };
  Bed bed(std::move(plan));
  Wire wire = bed.client();
  wire.send(request(origin.url("/")));
  const std::string asked = wire.read_response();
  CHECK(status_of(asked) == 407);
  CHECK(has(asked, "Proxy-Authenticate: Basic realm=\"postern\""));
  wire.send(request(origin.url("/"), "Proxy-Authorization: Basic dTp3cm9uZw==\r\n"));
  CHECK(status_of(wire.read_response()) == 407);
  for (int i = 0; i < 3; ++i) {
    wire.send(request(origin.url("/"), "Proxy-Authorization: Basic dTpyaWdodA==\r\n"));
    CHECK(status_of(wire.read_response()) == 200);
  }
  CHECK(checks == 4);
}

TEST_CASE(
    "http/proxy/policy: a transparent client gets what it was going to, whatever its Host says",
    "[F56]") {
  Origin mine(always(response("Cache-Control: max-age=60\r\n", "forged")));
  Origin real(always(response("Cache-Control: max-age=60\r\n", "real")));
  uint16_t original = mine.port();
  Ipv4Address of_name(198, 51, 100, 1);
  Bed::Plan plan;
  plan.has_store = true;
  plan.seams.resolve = [&](const std::string&, const Seams::Resolved& then) {
    then(Seams::Addresses{of_name});
  };
  plan.seams.original_destination = [&](int, const Peer&) {
    return Peer{Ipv4Address(127, 0, 0, 1), original};
  };
  Bed bed(std::move(plan));
  const auto ask = [&](uint16_t port) {
    Wire wire = bed.client();
    wire.send("GET / HTTP/1.1\r\nHost: shop.example:" + std::to_string(port) + "\r\n\r\n");
    return wire.read_response();
  };
  // The name has another address: passed on to where the client was going, not stored.
  CHECK(body_of(ask(mine.port())) == "forged");
  CHECK(body_of(ask(mine.port())) == "forged");
  CHECK(mine.requests() == 2);
  // Now it has that address: stored.
  bed.on_loop([&] {
    of_name = Ipv4Address(127, 0, 0, 1);
    original = real.port();
  });
  CHECK(body_of(ask(real.port())) == "real");
  CHECK(body_of(ask(real.port())) == "real");
  CHECK(real.requests() == 1);
}
