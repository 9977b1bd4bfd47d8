// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/udp.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace postern::dhcp {
namespace {

constexpr int kReceiveBytes = 1 << 20;

sockaddr_in socket_address(Ipv4Address address, uint16_t port) {
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(address.number);
  return at;
}

}  // namespace

Result<int> open_udp(const std::string& device, uint16_t port) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes);
  sockaddr_in any = socket_address({}, port);
  bool done = fd >= 0 &&
              setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device.c_str(),
                         static_cast<socklen_t>(device.size())) == 0 &&
              bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0;
  if (done) return fd;
  Error error{ErrorCode::failed,
              "UDP port " + std::to_string(port) + " of " + device + ": " + std::strerror(errno)};
  if (fd >= 0) close(fd);
  return error;
}

Result<int> open_udp_tap(const std::string& device, uint16_t port) {
  // UDP, no later fragment, this destination port; else nothing.
  sock_filter code[] = {{0x30, 0, 0, 9},      {0x15, 0, 6, IPPROTO_UDP}, {0x28, 0, 0, 6},
                        {0x45, 4, 0, 0x1fff}, {0xb1, 0, 0, 0},           {0x48, 0, 0, 2},
                        {0x15, 0, 1, port},   {0x06, 0, 0, 0xffff},      {0x06, 0, 0, 0}};
  sock_fprog filter = {static_cast<unsigned short>(std::size(code)), code};
  int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_ll at = {};
  at.sll_family = AF_PACKET;
  at.sll_protocol = htons(ETH_P_IP);
  at.sll_ifindex = static_cast<int>(if_nametoindex(device.c_str()));
  bool done = fd >= 0 && at.sll_ifindex != 0 &&
              setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0 &&
              bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
  if (done) return fd;
  Error error{ErrorCode::failed, "packets of " + device + ": " + std::strerror(errno)};
  if (fd >= 0) close(fd);
  return error;
}

std::span<const uint8_t> udp_payload(std::span<const uint8_t> packet) {
  constexpr size_t kIpMin = 20, kUdp = 8;
  if (packet.size() < kIpMin || packet[0] >> 4 != 4) return {};
  const size_t head = size_t{packet[0] & 15u} * 4;
  if (head < kIpMin || packet.size() < head + kUdp) return {};
  const size_t length = size_t{packet[head + 4]} << 8 | packet[head + 5];
  if (length < kUdp || length > packet.size() - head) return {};
  return packet.subspan(head + kUdp, length - kUdp);
}

bool send_udp(int fd, const UdpTarget& target, std::span<const uint8_t> payload) {
  sockaddr_in to = socket_address(target.to, target.port);
  iovec vector = {const_cast<uint8_t*>(payload.data()), payload.size()};
  alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(sizeof(in_pktinfo))> control = {};
  msghdr message = {};
  message.msg_name = &to;
  message.msg_namelen = sizeof to;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = IPPROTO_IP;
  head->cmsg_type = IP_PKTINFO;
  head->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  in_pktinfo info = {};
  info.ipi_spec_dst.s_addr = htonl(target.from.number);
  std::memcpy(CMSG_DATA(head), &info, sizeof info);
  return sendmsg(fd, &message, MSG_DONTWAIT) >= 0;
}

}  // namespace postern::dhcp
