// SPDX-License-Identifier: BSD-3-Clause
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>

#include "cli/login/tls_connection.h"

using namespace postern;
using namespace postern::cli;

namespace {

// Listens at an address of loopback, and takes nothing from its queue.
class Listener {
 public:
  // Port 0: any.
  Listener(const char* address, uint16_t port, int backlog) {
    at_.sin_family = AF_INET;
    at_.sin_port = htons(port);
    REQUIRE(inet_pton(AF_INET, address, &at_.sin_addr) == 1);
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof at_;
    void* where = &at_;
    REQUIRE(bind(fd_, static_cast<sockaddr*>(where), size) == 0);
    REQUIRE(listen(fd_, backlog) == 0);
    REQUIRE(getsockname(fd_, static_cast<sockaddr*>(where), &size) == 0);
  }
  ~Listener() { close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  uint16_t port() const { return ntohs(at_.sin_port); }
  uint32_t address() const { return at_.sin_addr.s_addr; }
  const sockaddr_in& at() const { return at_; }

 private:
  sockaddr_in at_ = {};
  int fd_ = -1;
};

// Connections that fill the queue of a listener, so that the next one gets no answer.
class Crowd {
 public:
  explicit Crowd(const Listener& listener) {
    const void* where = &listener.at();
    for (int& fd : fds_) {
      fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      const int done = connect(fd, static_cast<const sockaddr*>(where), sizeof listener.at());
      REQUIRE((done == 0 || errno == EINPROGRESS));
    }
  }
  ~Crowd() {
    for (int fd : fds_)
      close(fd);
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

 private:
  std::array<int, 4> fds_ = {};
};

}  // namespace

TEST_CASE("cli/login: an address that is silent leaves the next one its share of the time",
          "[F27]") {
  const Listener silent("127.0.0.2", 0, 0);
  const Crowd crowd(silent);
  const Listener good("127.0.0.3", silent.port(), 8);
  const PageAddress page{"gateway.example", silent.port()};
  {
    TlsConnection connection(page, {200}, nullptr);
    const auto none = connection.connect({silent.address()});
    REQUIRE_FALSE(none);
    CHECK(none.error().code == ErrorCode::unavailable);
  }
  TlsConnection connection(page, {1000}, nullptr);
  const auto address = connection.connect({silent.address(), good.address()});
  REQUIRE(address);
  CHECK(*address == good.address());
}

TEST_CASE("cli/login: nowhere to connect to is an error", "[F27]") {
  const PageAddress page{"gateway.example", 443};
  TlsConnection connection(page, {200}, nullptr);
  CHECK_FALSE(connection.connect({}));
}
