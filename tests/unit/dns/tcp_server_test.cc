// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/tcp_server.h"

#include <netinet/in.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "services/io/listen_address.h"
#include "support/descriptor_shortage.h"

namespace postern::dns {
namespace {

// A server on a free port of loopback.
struct Bed {
  Bed() {
    auto fd = io::open_listener({"", Ipv4Address(127, 0, 0, 1), 0}, SOCK_STREAM);
    REQUIRE(fd);
    sockaddr_in at = {};
    socklen_t size = sizeof at;
    REQUIRE(getsockname(*fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port = ntohs(at.sin_port);
    TcpServer::Calls calls;
    calls.ask = [](Bytes, const Client&, Instant, std::span<uint8_t>) { return size_t{0}; };
    calls.now = [this] { return now; };
    calls.end_turn = [] {};
    calls.room = [] { return std::span<uint8_t>(); };
    calls.warn = [this](const char* why) { told.emplace_back(why); };
    server = std::make_unique<TcpServer>(context, *fd, 1, std::move(calls));
  }
  ~Bed() {
    for (int fd : clients)
      close(fd);
  }
  void connect_one() {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to = io::socket_address(Ipv4Address(127, 0, 0, 1), port);
    REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    clients.push_back(fd);
  }
  void run() {
    context.restart();
    context.run_for(std::chrono::milliseconds(50));
  }

  boost::asio::io_context context;
  Instant now = {1'000'000'000};
  uint16_t port = 0;
  std::vector<std::string> told;
  std::vector<int> clients;
  std::unique_ptr<TcpServer> server;
};

}  // namespace

TEST_CASE("dns/tcp_server: without descriptors it waits, and does not spin", "[F53]") {
  Bed bed;
  bed.connect_one();
  {
    DescriptorShortage shortage;
    for (uint64_t second = 1; second <= 3; ++second) {
      bed.run();
      CHECK(bed.server->pauses() == second);
      bed.now = bed.now + seconds(1);
      bed.server->tick(bed.now);
    }
    CHECK(bed.told == std::vector<std::string>{"Too many open files"});
    CHECK(bed.server->connections() == 0);
    bed.run();
  }
  bed.server->tick(bed.now);
  bed.run();
  CHECK(bed.server->connections() == 1);
}

TEST_CASE("dns/tcp_server: one client has 32 connections, and others have room", "[F53]") {
  Bed bed;
  for (size_t i = 0; i <= TcpServer::kPerClientMax; ++i)
    bed.connect_one();
  bed.run();
  CHECK(bed.server->connections() == TcpServer::kPerClientMax);
  CHECK(bed.server->turned_away() == 1);
}

}  // namespace postern::dns
