// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/datagram.h"

#include <sys/socket.h>

#include <array>
#include <cstring>

namespace postern::dhcp {

sockaddr_in socket_address(Ipv4Address address, uint16_t port) {
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(address.number);
  return at;
}

bool send_from(int fd, Ipv4Address from, DatagramEnd end, std::span<const uint8_t> payload) {
  sockaddr_in to = socket_address(end.address, end.port);
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
  info.ipi_spec_dst.s_addr = htonl(from.number);
  std::memcpy(CMSG_DATA(head), &info, sizeof info);
  return sendmsg(fd, &message, MSG_DONTWAIT) >= 0;
}

}  // namespace postern::dhcp
