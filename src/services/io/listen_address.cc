// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/listen_address.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace postern::io {
namespace {

constexpr int kBacklog = 128;

Error failed(const ListenAddress& at, const char* what) {
  std::string text = to_text(at.address) + " port " + std::to_string(at.port);
  if (!at.device.empty()) text += " on " + at.device;
  return {ErrorCode::failed, text + ": " + what + ": " + std::strerror(errno)};
}

bool bind_to_device(int fd, const std::string& device) {
  return device.empty() || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                                      static_cast<socklen_t>(device.size())) == 0;
}

bool bind_to_address(int fd, const ListenAddress& at) {
  const sockaddr_in address = socket_address(at.address, at.port);
  return bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

sockaddr_in socket_address(Ipv4Address address, uint16_t port) {
  sockaddr_in out = {};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(address.number);
  return out;
}

Result<int> open_listener(const ListenAddress& at, int socket_type) {
  const int fd = socket(AF_INET, socket_type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(at, "socket");
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
  const char* wrong = nullptr;
  if (!bind_to_device(fd, at.device)) {
    wrong = "bind to device";
  } else if (!bind_to_address(fd, at)) {
    wrong = "bind";
  } else if (socket_type == SOCK_STREAM && listen(fd, kBacklog) != 0) {
    wrong = "listen";
  }
  if (wrong == nullptr) return fd;
  Error error = failed(at, wrong);
  close(fd);
  return error;
}

}  // namespace postern::io
