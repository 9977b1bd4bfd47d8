// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/echo.h"

#include <linux/icmp.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "services/dhcp/frame.h"
#include "services/dhcp/octets.h"
#include "services/dhcp/udp.h"

namespace postern::dhcp {
namespace {

constexpr size_t kIcmpBytes = 8;
constexpr size_t kIpBytesMin = 20;
constexpr size_t kSourceAt = 12;
constexpr size_t kPacketMax = 2048;

}  // namespace

std::array<uint8_t, 24> echo_request(const EchoMark& mark) {
  std::array<uint8_t, 24> message = {};
  message[0] = ICMP_ECHO;
  store16(&message[4], mark.id);
  std::copy(mark.secret.begin(), mark.secret.end(), message.begin() + kIcmpBytes);
  store16(&message[2], static_cast<uint16_t>(~fold_sum(add_sum(message, 0))));
  return message;
}

std::optional<Ipv4Address> sender_of_reply(std::span<const uint8_t> packet, const EchoMark& mark) {
  if (packet.size() < kIpBytesMin || packet[0] >> 4 != 4) return std::nullopt;
  const size_t head = size_t{4} * (packet[0] & 15u);
  if (head < kIpBytesMin || packet.size() < head + kIcmpBytes + mark.secret.size()) {
    return std::nullopt;
  }
  auto icmp = packet.subspan(head);
  if (icmp[0] != ICMP_ECHOREPLY || icmp[1] != 0 || fold_sum(add_sum(icmp, 0)) != 0xFFFF) {
    return std::nullopt;
  }
  if (load16(&icmp[4]) != mark.id) return std::nullopt;
  if (!std::equal(mark.secret.begin(), mark.secret.end(), icmp.begin() + kIcmpBytes)) {
    return std::nullopt;
  }
  return Ipv4Address(load32(&packet[kSourceAt]));
}

EchoSocket::EchoSocket(int fd) : fd_(fd) {
  POSTERN_ASSERT(sodium_init() >= 0);
  mark_.id = static_cast<uint16_t>(randombytes_random());
  randombytes_buf(mark_.secret.data(), mark_.secret.size());
}

EchoSocket::~EchoSocket() {
  close(fd_);
}

Result<std::unique_ptr<EchoSocket>> EchoSocket::open() {
  int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
  if (fd < 0) {
    return Error{ErrorCode::failed, std::string("ICMP socket: ") + std::strerror(errno)};
  }
  icmp_filter filter = {};
  filter.data = ~(1u << ICMP_ECHOREPLY);
  setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof filter);
  return std::unique_ptr<EchoSocket>(new EchoSocket(fd));
}

bool EchoSocket::send(Ipv4Address from, Ipv4Address to) {
  return send_udp(fd_, {from, to, 0}, echo_request(mark_));
}

std::vector<Ipv4Address> EchoSocket::answers() {
  std::vector<Ipv4Address> senders;
  std::array<uint8_t, kPacketMax> packet;
  for (unsigned i = 0; i < kEchoesPerTurn; ++i) {
    ssize_t size = recv(fd_, packet.data(), packet.size(), MSG_DONTWAIT);
    if (size < 0) break;
    auto sender = sender_of_reply(std::span(packet).first(static_cast<size_t>(size)), mark_);
    if (sender) senders.push_back(*sender);
  }
  return senders;
}

}  // namespace postern::dhcp
