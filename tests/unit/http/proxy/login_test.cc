// SPDX-License-Identifier: BSD-3-Clause
// Who a client is holds for one request.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

namespace {

constexpr const char* kRight = "Proxy-Authorization: Basic dTpyaWdodA==\r\n";

// A connection from 127.0.0.`last`; -1: there is none.
int connect_from(uint8_t last, uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(0x7f000000U | last);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) return -1;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(port);
  return connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 ? fd : -1;
}

}  // namespace

TEST_CASE("http/proxy/login: an account that ends, ends on open connections", "[F57]") {
  Origin origin(always(response("", "x")));
  bool has_account = true;
  bool is_pupil = false;
  UrlRule rule;
  rule.principals = {7};
  Result<UrlRules> rules = UrlRules::compile({rule}, UrlAction::permit);
  REQUIRE(rules);
  Bed::Plan plan;
  plan.settings.asks_login = true;
  plan.settings.url_rules = std::make_shared<const UrlRules>(std::move(*rules));
  plan.seams.check_password = [&](const std::string& user, const std::string&, Ipv4Address,
                                  const Seams::Verified& then) {
    const Identity identity{user, is_pupil ? std::vector<uint32_t>{7} : std::vector<uint32_t>{8}};
    then(has_account ? &identity : nullptr);
  };
  Bed bed(std::move(plan));
  Wire wire = bed.client();
  const auto ask = [&] {
    wire.send(request(origin.url("/"), kRight));
    return status_of(wire.read_response());
  };
  CHECK(ask() == 200);
  bed.on_loop([&] { is_pupil = true; });
  CHECK(ask() == 403);
  bed.on_loop([&] { is_pupil = false; });
  CHECK(ask() == 200);
  bed.on_loop([&] { has_account = false; });
  CHECK(ask() == 407);
}

TEST_CASE("http/proxy/login: a password that nobody looked at is not called wrong", "[F57]") {
  Origin origin(always(response("", "x")));
  bool is_later = false;
  std::function<void()> answer_later;
  Bed::Plan plan;
  plan.settings.asks_login = true;
  plan.seams.check_password = [&](const std::string&, const std::string&, Ipv4Address,
                                  const Seams::Verified& then) {
    if (!is_later) return then(LoginAnswer::busy(17));
    answer_later = [then] {
      const Identity identity{"u", {7}};
      then(&identity);
    };
  };
  Bed bed(std::move(plan));
  Wire wire = bed.client();
  wire.send(request(origin.url("/"), kRight));
  const std::string answer = wire.read_response();
  CHECK(status_of(answer) == 503);
  CHECK(has(answer, "Retry-After: 17\r\n"));
  CHECK_FALSE(has(answer, "Proxy-Authenticate"));
  // The same connection goes on, and a later answer finds its request.
  bed.on_loop([&] { is_later = true; });
  wire.send(request(origin.url("/"), kRight));
  for (bool is_there = false; !is_there;)
    bed.on_loop([&] { is_there = static_cast<bool>(answer_later); });
  bed.on_loop([&] { answer_later(); });
  CHECK(status_of(wire.read_response()) == 200);
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/login: addresses that were turned away are not remembered", "[F56]") {
  Bed::Plan plan;
  plan.settings.limits.connections = 1;
  Bed bed(std::move(plan));
  Wire first = bed.client();
  first.send(request("http://nowhere.example/"));
  first.read_response();
  for (uint8_t last = 2; last < 12; ++last) {
    const int fd = connect_from(last, bed.port());
    REQUIRE(fd >= 0);
    Wire wire(fd);
    CHECK(wire.is_ended());
  }
  Proxy::Load load;
  bed.on_loop([&] { load = bed.proxy().load(); });
  CHECK(load.clients == 1);
  CHECK(load.addresses == 1);
}
