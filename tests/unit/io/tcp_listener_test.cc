// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/tcp_listener.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "support/descriptor_shortage.h"

namespace postern::io {
namespace {

const Ipv4Address kLoopback(127, 0, 0, 1);

uint16_t port_of(int fd) {
  sockaddr_in at = {};
  socklen_t size = sizeof at;
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  return ntohs(at.sin_port);
}

// An address that nobody listens at just now.
ListenAddress free_address() {
  auto fd = open_listener({"", kLoopback, 0}, SOCK_STREAM);
  REQUIRE(fd);
  const uint16_t port = port_of(*fd);
  close(*fd);
  return {"", kLoopback, port};
}

struct Bed {
  Bed() {
    listener = std::make_unique<TcpListener>(
        context, [this](const ListenAddress& at, const TcpListener::Arrival& arrival) {
          arrivals.emplace_back(at, arrival);
          fds.push_back(arrival.fd);
          if (on_take) on_take();
        });
  }
  ~Bed() {
    for (const int fd : fds)
      close(fd);
  }
  Bed(const Bed&) = delete;
  Bed& operator=(const Bed&) = delete;

  // Its port, or 0: refused.
  uint16_t connect_to(const ListenAddress& at) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fds.push_back(fd);
    const sockaddr_in to = socket_address(at.address, at.port);
    return connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ? port_of(fd) : 0;
  }
  void run() {
    context.restart();
    context.run_for(std::chrono::milliseconds(50));
  }

  boost::asio::io_context context;
  std::vector<std::pair<ListenAddress, TcpListener::Arrival>> arrivals;
  std::vector<int> fds;
  std::function<void()> on_take;
  std::unique_ptr<TcpListener> listener;
};

}  // namespace

TEST_CASE("io/tcp_listener: sockets open, stay and close as the list says", "[F53]") {
  Bed bed;
  const ListenAddress first = free_address(), second = free_address();
  REQUIRE(bed.listener->listen({first, second, first}));
  CHECK(bed.listener->listening() == std::vector<ListenAddress>{first, second});
  // What waits in a socket that stays is not lost.
  const uint16_t port = bed.connect_to(second);
  REQUIRE(port != 0);
  REQUIRE(bed.listener->listen({second}));
  CHECK(bed.connect_to(first) == 0);
  bed.run();
  REQUIRE(bed.arrivals.size() == 1);
  CHECK(bed.arrivals[0].first == second);
  CHECK(bed.arrivals[0].second.from == kLoopback);
  CHECK(bed.arrivals[0].second.port == port);
  bed.listener->close_others({first});
  CHECK(bed.listener->listening().empty());
  CHECK(bed.connect_to(second) == 0);
}

TEST_CASE("io/tcp_listener: what cannot be opened is told, and the others open", "[F53]") {
  Bed bed;
  const ListenAddress good = free_address();
  ListenAddress bad = good;
  bad.device = "no-such-device";
  const auto outcome = bed.listener->listen({bad, good});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().text.find("on no-such-device: bind to device") != std::string::npos);
  CHECK(bed.listener->listening() == std::vector<ListenAddress>{good});
}

TEST_CASE("io/tcp_listener: without descriptors it waits for tick(), and does not spin",
          "[F53][F61]") {
  Bed bed;
  const ListenAddress at = free_address();
  REQUIRE(bed.listener->listen({at}));
  REQUIRE(bed.connect_to(at) != 0);
  {
    const DescriptorShortage shortage;
    for (int second = 0; second < 3; ++second) {
      bed.context.restart();
      bed.context.run_for(std::chrono::milliseconds(20));
      bed.context.restart();
      CHECK(bed.context.poll() == 0);
      bed.listener->tick();
    }
    bed.run();
    CHECK(bed.arrivals.empty());
  }
  bed.run();
  CHECK(bed.arrivals.empty());
  bed.listener->tick();
  bed.run();
  CHECK(bed.arrivals.size() == 1);
}

TEST_CASE("io/tcp_listener: may listen elsewhere, or be no more, while it is called", "[F53]") {
  Bed bed;
  const ListenAddress at = free_address();
  const bool is_ended = GENERATE(false, true);
  REQUIRE(bed.listener->listen({at}));
  bed.on_take = [&] { is_ended ? bed.listener.reset() : bed.listener->close_others({}); };
  for (int i = 0; i < 3; ++i)
    REQUIRE(bed.connect_to(at) != 0);
  bed.run();
  CHECK(bed.arrivals.size() == 1);
  CHECK(bed.connect_to(at) == 0);
}

}  // namespace postern::io
