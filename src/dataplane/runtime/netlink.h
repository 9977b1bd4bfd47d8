// SPDX-License-Identifier: BSD-3-Clause
// Netlink: the few questions to the kernel about its interfaces, addresses and routes that kernel
// ports need. A blocking socket of its own per object. Thread: control.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

struct nl_sock;

namespace postern {

// One netlink message as the kernel sent it, header included.
using NetlinkMessage = std::vector<uint8_t>;

class Netlink {
 public:
  Netlink();
  ~Netlink();
  Netlink(const Netlink&) = delete;
  Netlink& operator=(const Netlink&) = delete;

  // Addresses and unicast routes of the device, both families, without the routes that the kernel
  // makes itself from addresses.
  std::vector<NetlinkMessage> addresses_of(int index);
  std::vector<NetlinkMessage> routes_of(int index);
  // How the device makes its IPv6 addresses (IN6_ADDR_GEN_MODE_*); nullopt: it has no IPv6.
  std::optional<uint8_t> ipv6_mode_of(int index);

  // 0 or the error number.
  int add(NetlinkMessage message, int index);  // as a new address or route of device `index`
  int remove_address(NetlinkMessage message);
  int set_ipv6_mode(int index, uint8_t mode);
  int set_alias(int index, const std::string& alias);  // the text that `ip link` shows with it
  int detach_xdp(int index);                           // whatever XDP program hangs there

 private:
  void dump(int type, int family, const std::function<void(const nlmsghdr&)>& each);
  int ask(NetlinkMessage& message, uint16_t type, uint16_t flags);

  nl_sock* socket_;
  bool is_connected_ = false;
};

}  // namespace postern
