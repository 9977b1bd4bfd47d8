// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace postern::http {
namespace {

constexpr int kBacklog = 1024;

Error system_error(const ProxyListener& at, const char* what) {
  return Error{ErrorCode::failed, fmt::format("{}:{}: {}: {}", to_text(at.address), at.port, what,
                                              std::strerror(errno))};
}

Result<void> bind_and_listen(int fd, const ProxyListener& at) {
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // What is accepted inherits it.
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!at.device.empty() && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, at.device.data(),
                                       static_cast<socklen_t>(at.device.size())) != 0) {
    return system_error(at, "device");
  }
  // Where it answers with the addresses of others (ip(7)).
  if (at.is_transparent && at.address.is_unspecified() &&
      setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on) != 0)
    return system_error(at, "transparent");
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(at.address.number);
  address.sin_port = htons(at.port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return system_error(at, "bind");
  if (listen(fd, kBacklog) != 0) return system_error(at, "listen");
  return {};
}

}  // namespace

Peer local_address_of(int fd) {
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return {Ipv4Address(ntohl(address.sin_addr.s_addr)), ntohs(address.sin_port)};
}

Result<std::unique_ptr<Listener>> Listener::open(Poller& poller, const ProxyListener& at,
                                                 const Take& take) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return system_error(at, "socket");
  std::unique_ptr<Listener> listener(new Listener(poller, fd, at, take));
  const Result<void> listening = bind_and_listen(fd, at);
  if (!listening) return Error(listening.error());
  if (!poller.add(fd, *listener)) return system_error(at, "epoll");
  return listener;
}

Listener::Listener(Poller& poller, int fd, ProxyListener at, Take take)
    : poller_(poller), fd_(fd), at_(std::move(at)), take_(std::move(take)) {}

Listener::~Listener() {
  poller_.remove(fd_, *this);
  close(fd_);
}

uint16_t Listener::port() const {
  return local_address_of(fd_).port;
}

void Listener::tick() {
  if (is_paused_) on_ready(EPOLLIN);
}

void Listener::on_ready(uint32_t /*events*/) {
  is_paused_ = false;
  for (int i = 0; i < kAcceptedPerTurn; ++i) {
    sockaddr_in from = {};
    socklen_t size = sizeof from;
    const int fd =
        accept4(fd_, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == ECONNABORTED || errno == EINTR) continue;
      is_paused_ = errno != EAGAIN && errno != EWOULDBLOCK;
      return;
    }
    take_(fd, Peer{Ipv4Address(ntohl(from.sin_addr.s_addr)), ntohs(from.sin_port)}, at_);
  }
  poller_.rearm(fd_, *this);
}

}  // namespace postern::http
