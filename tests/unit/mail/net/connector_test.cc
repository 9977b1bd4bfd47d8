// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/net/connector.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>

namespace postern::mail {
namespace {

constexpr Ipv4Address kNobody(127, 0, 0, 2);  // nothing listens there
constexpr Ipv4Address kServer(127, 0, 0, 1);

struct Listener {
  Listener() {
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(kServer.number);
    REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(listen(fd, 4) == 0);
    socklen_t size = sizeof at;
    getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
  }
  ~Listener() { close(fd); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  int fd = -1;
  uint16_t port = 0;
};

}  // namespace

TEST_CASE("mail/net/connector: the first address that can be reached is taken", "[RFC5321-5.1]") {
  const Listener listener;
  boost::asio::io_context context;
  std::string outcome;
  std::unique_ptr<Connector> connector;
  connector =
      std::make_unique<Connector>(context, std::vector{kNobody, kServer}, listener.port, seconds(5),
                                  [&](const Result<int>& fd, Ipv4Address address) {
                                    outcome = fd ? to_text(address) : fd.error().text;
                                    if (fd) close(*fd);
                                    connector.reset();
                                  });
  CHECK(outcome.empty());
  context.run_for(std::chrono::seconds(5));
  CHECK(outcome == "127.0.0.1");
}

TEST_CASE("mail/net/connector: where none can be reached, the last one's error is told", "[mail]") {
  boost::asio::io_context context;
  std::string outcome;
  uint16_t port = 0;
  {
    const Listener gone;
    port = gone.port;
  }
  const auto note = [&](const Result<int>& fd, Ipv4Address) { outcome = fd.error().text; };
  const Connector connector(context, {kServer, kNobody}, port, seconds(5), note);
  context.run_for(std::chrono::seconds(5));
  CHECK(outcome == "127.0.0.2: Connection refused");
  const Connector without(context, {}, port, seconds(5), note);
  context.restart();
  context.run_for(std::chrono::seconds(5));
  CHECK(outcome == "no address");
}

TEST_CASE("mail/net/connector: the end of it ends it", "[mail]") {
  const Listener listener;
  boost::asio::io_context context;
  int calls = 0;
  {
    const Connector connector(context, {kServer}, listener.port, seconds(5),
                              [&](const Result<int>&, Ipv4Address) { ++calls; });
    context.poll_one();
  }
  context.restart();
  context.run_for(std::chrono::milliseconds(50));
  CHECK(calls == 0);
}

}  // namespace postern::mail
