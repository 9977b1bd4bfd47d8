// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/socket.h"

#include <unistd.h>

namespace postern::dns {
namespace {

constexpr int kReceiveBytes = 2 << 20;  // some thousand queries while the thread is elsewhere
constexpr uint16_t kPortMin = 10240;    // below are ports that services have
constexpr int kPortTries = 8;

void set(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

bool bind_to_port(int fd, uint16_t port) {
  sockaddr_in address = io::socket_address(Ipv4Address(), port);
  return bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

Result<int> open_datagram_listener(const io::ListenAddress& at) {
  auto fd = io::open_listener(at, SOCK_DGRAM);
  if (!fd) return fd;
  set(*fd, SOL_SOCKET, SO_RCVBUF, kReceiveBytes);
  set(*fd, SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBytes);
  // Answers never carry "don't fragment", so no forged ICMP can make them small.
  set(*fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  return fd;
}

int open_to_server(Ipv4Address server, uint16_t server_port, uint16_t random_port) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  uint32_t port = random_port;
  for (int tried = 0; tried < kPortTries; ++tried) {
    port = kPortMin + (port * 25173 + 13849) % (65536 - kPortMin);
    if (bind_to_port(fd, static_cast<uint16_t>(port))) break;
  }
  sockaddr_in address = io::socket_address(server, server_port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

DatagramBatch::DatagramBatch(size_t slot_bytes)
    : slot_bytes_(slot_bytes),
      octets_(std::make_unique_for_overwrite<uint8_t[]>(kSlots * slot_bytes)) {
  for (size_t i = 0; i < kSlots; ++i) {
    vectors_[i] = {slot(i), slot_bytes};
    messages_[i].msg_hdr.msg_iov = &vectors_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
    messages_[i].msg_hdr.msg_name = &addresses_[i];
    messages_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
  }
}

size_t DatagramBatch::receive(int fd) {
  int count = recvmmsg(fd, messages_.data(), kSlots, MSG_DONTWAIT, nullptr);
  return count > 0 ? static_cast<size_t>(count) : 0;
}

Bytes DatagramBatch::bytes(size_t number) const {
  return {slot(number), messages_[number].msg_len};
}

void DatagramBatch::add(size_t bytes, Ipv4Address to, uint16_t port) {
  vectors_[size_].iov_len = bytes;
  addresses_[size_] = io::socket_address(to, port);
  ++size_;
}

void DatagramBatch::add_connected(size_t bytes) {
  vectors_[size_].iov_len = bytes;
  messages_[size_].msg_hdr.msg_name = nullptr;
  messages_[size_].msg_hdr.msg_namelen = 0;
  ++size_;
}

void DatagramBatch::send(int fd) {
  bool is_again = false;
  for (size_t sent = 0; sent < size_;) {
    int count = sendmmsg(fd, &messages_[sent], static_cast<unsigned>(size_ - sent), MSG_DONTWAIT);
    // An error may be about what was sent before, and is then told once.
    is_again = count < 0 && !is_again;
    if (is_again) continue;
    sent += count > 0 ? static_cast<size_t>(count) : 1;
  }
  size_ = 0;
}

}  // namespace postern::dns
