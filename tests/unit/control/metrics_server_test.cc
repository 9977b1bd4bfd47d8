// SPDX-License-Identifier: BSD-3-Clause
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "control/metrics/server.h"

using namespace postern;
using namespace postern::metrics;

namespace {

constexpr Ipv4Address kLoopback(0x7F000001);
const std::string kGet = "GET /metrics HTTP/1.1\r\nHost: gw\r\n\r\n";

// A port that nobody has just now.
uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = io::socket_address(kLoopback, 0);
  REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

// A server on a thread of its own, until the end of the test. Device "": no root is needed.
struct Bed {
  Loop loop;
  uint16_t port = free_port();
  std::atomic<int> pages{0};
  std::string page = "postern_test 1\n";
  std::unique_ptr<Server> server;
  std::thread thread;

  explicit Bed(const Server::Limits& limits = Server::Limits()) {
    server = std::make_unique<Server>(
        loop,
        [this](Format format) {
          ++pages;
          return format == Format::open_metrics ? page + "# EOF\n" : page;
        },
        limits);
    REQUIRE(server->apply({{{"", kLoopback, port}}, {}}));
    thread = std::thread([this] { loop.run(); });
  }
  ~Bed() {
    loop.stop();
    thread.join();
  }
  // On the thread of the loop.
  template <typename Do>
  auto ask(Do what) {
    std::promise<decltype(what())> told;
    loop.after(Duration(), [&] { told.set_value(what()); });
    return told.get_future().get();
  }
  Counters counters() {
    return ask([this] { return server->counters(); });
  }
};

class Client {
 public:
  explicit Client(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const sockaddr_in address = io::socket_address(kLoopback, port);
    REQUIRE(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    timeval timeout = {5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(const std::string& text) {
    CHECK(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  // What comes until `end` is there, or the connection ends.
  std::string receive(const std::string& end) {
    std::string text;
    char c = 0;
    while (!text.ends_with(end) && recv(fd_, &c, 1, 0) == 1)
      text += c;
    return text;
  }
  std::string receive_all() { return receive("\xFF"); }

 private:
  int fd_;
};

}  // namespace

TEST_CASE("metrics/server: one connection carries several requests, pipelined ones too", "[P20]") {
  Bed bed;
  Client client(bed.port);
  client.send(kGet);
  const std::string first = client.receive(bed.page);
  CHECK(first.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(first.ends_with("\r\n\r\n" + bed.page));
  std::string many;
  for (int i = 0; i < 20; ++i)
    many += kGet;
  client.send(many);
  for (int i = 0; i < 20; ++i)
    CHECK(client.receive(bed.page).starts_with("HTTP/1.1 200 OK\r\n"));
  client.send("HEAD /metrics HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n\r\n");
  const std::string last = client.receive_all();
  CHECK(last.find("Content-Length: 15\r\n") != std::string::npos);
  CHECK(last.ends_with("\r\n\r\n"));
  CHECK(bed.counters().pages == 22);
  CHECK(bed.pages.load() < 22);  // a page is kept for a moment
}

TEST_CASE("metrics/server: a bad request is answered, and the connection ends", "[P20]") {
  Bed bed;
  for (const auto& [sent, status] : std::vector<std::pair<std::string, std::string>>{
           {"GET /metrics HTTP/1.1\r\n\r\n", "400"},
           {"nonsense\r\n\r\n", "400"},
           {"POST /metrics HTTP/1.1\r\nHost: gw\r\n\r\n", "405"},
           {"GET /metrics HTTP/1.1\r\nHost: " + std::string(20'000, 'x') + "\r\n\r\n", "431"}}) {
    Client client(bed.port);
    client.send(sent);
    CHECK(client.receive("\r\n").starts_with("HTTP/1.1 " + status + " "));
  }
  CHECK(bed.counters().bad_requests == 4);
  Client client(bed.port);
  client.send("GET / HTTP/1.1\r\nHost: gw\r\n\r\n");
  CHECK(client.receive("GET /metrics\n").starts_with("HTTP/1.1 404 "));
  client.send(kGet);
  CHECK(client.receive(bed.page).starts_with("HTTP/1.1 200 "));
}

TEST_CASE("metrics/server: connections beyond the limit of one address are closed", "[P20]") {
  Bed bed;
  std::vector<std::unique_ptr<Client>> clients;
  for (size_t i = 0; i < Server::kClientsOfOneMax; ++i) {
    clients.push_back(std::make_unique<Client>(bed.port));
    clients.back()->send(kGet);
    CHECK(clients.back()->receive(bed.page).starts_with("HTTP/1.1 200 OK\r\n"));
  }
  Client one_more(bed.port);
  CHECK(one_more.receive_all().empty());
  CHECK(bed.counters().refused_full == 1);
  clients.pop_back();
  while (bed.ask([&] { return bed.server->connections(); }) == Server::kClientsOfOneMax)
    usleep(1000);
  Client next(bed.port);
  next.send(kGet);
  CHECK(next.receive(bed.page).starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("metrics/server: who is slow loses the connection, idle ones later", "[P20]") {
  Server::Limits limits;
  limits.idle = seconds(2);
  limits.head = milliseconds(50);
  limits.write = milliseconds(50);
  Bed bed(limits);
  bed.page = std::string(32 << 20, 'x');  // more than sockets take
  Client half(bed.port);
  half.send("GET /metrics HTTP/1.1\r\n");
  CHECK(half.receive_all().empty());
  Client deaf(bed.port);
  deaf.send(kGet);
  while (bed.counters().timeouts < 2)
    usleep(1000);
  Client idle(bed.port);
  usleep(100'000);
  CHECK(bed.ask([&] { return bed.server->connections(); }) == 1);
  CHECK(idle.receive_all().empty());
  CHECK(bed.counters().timeouts == 3);
}

TEST_CASE("metrics/server: sources that may not ask are closed unread, and settings can change",
          "[P20]") {
  Bed bed;
  // 127.0.0.1 may ask by its loopback whatever `from` says; by another address it has to be in it.
  const Ipv4Address any;
  REQUIRE(bed.ask([&] {
    return bed.server->apply({{{"", any, bed.port}}, {{Ipv4Address(1), Ipv4Address(2)}}})
        .has_value();
  }));
  {
    Client stranger(bed.port);
    CHECK(stranger.receive_all().empty());
  }
  CHECK(bed.counters().refused_sources == 1);
  REQUIRE(bed.ask([&] {
    return bed.server->apply({{{"", any, bed.port}}, {{kLoopback, kLoopback}}}).has_value();
  }));
  Client client(bed.port);
  client.send(kGet);
  CHECK(client.receive(bed.page).starts_with("HTTP/1.1 200 OK\r\n"));
  REQUIRE(bed.ask([&] { return bed.server->apply({}).has_value(); }));
  CHECK(client.receive_all().empty());
  CHECK_FALSE(bed.ask([&] {
    return bed.server->apply({{{"no-such-device", kLoopback, bed.port}}, {}}).has_value();
  }));
}
