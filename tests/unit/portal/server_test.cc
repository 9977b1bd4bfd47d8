// SPDX-License-Identifier: BSD-3-Clause
#include "services/portal/server.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>

namespace postern::portal {
namespace {

using boost::asio::ip::tcp;
const Ipv4Address kLoopback = *parse_ipv4("127.0.0.1");

}  // namespace

TEST_CASE("portal/server: who is not admitted costs no handshake", "[F27][F61]") {
  boost::asio::io_context context;
  size_t asked = 0;
  Server server(
      context, [](const Request&, Ipv4Address, const Server::Answer&) {},
      [&](Ipv4Address from) {
        CHECK(from == kLoopback);
        return ++asked <= 2;
      });
  auto certificate = make_certificate("gateway", {kLoopback});
  REQUIRE(certificate);
  REQUIRE(server.set_certificate(*certificate));
  auto port = static_cast<uint16_t>(30'000 + getpid() % 10'000);
  while (!server.listen({{"", kLoopback, port}}))
    REQUIRE(++port < 60'000);
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(context).connect({boost::asio::ip::address_v4(kLoopback.number), port});
  }
  while (asked < 5)
    context.run_one();
  CHECK(server.connections() == 2);
  CHECK(server.counters().connections == 2);
  CHECK(server.counters().too_often == 3);
  CHECK(server.counters().turned_away == 0);
}

TEST_CASE("portal/server: sockets that are not wanted close by themselves, too", "[F27]") {
  boost::asio::io_context context;
  Server server(
      context, [](const Request&, Ipv4Address, const Server::Answer&) {},
      [](Ipv4Address) { return true; });
  auto port = static_cast<uint16_t>(40'000 + getpid() % 10'000);
  std::vector<io::ListenAddress> two = {{"", kLoopback, port}, {"", kLoopback, port}};
  for (;; two[0].port = ++port) {
    two[1].port = static_cast<uint16_t>(port + 1);
    if (server.listen(two)) break;
    REQUIRE(port < 60'000);
  }
  REQUIRE(server.listening().size() == 2);
  const std::vector<io::ListenAddress> wanted = {two[1], {"", kLoopback, 1}};
  server.close_others(wanted);
  REQUIRE(server.listening().size() == 1);
  CHECK(server.listening()[0] == two[1]);
}

}  // namespace postern::portal
