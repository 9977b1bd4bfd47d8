// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/netlink.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/assert.h"

namespace postern {
namespace {

int on_message(nl_msg* message, void* each) {
  (*static_cast<const std::function<void(const nlmsghdr&)>*>(each))(*nlmsg_hdr(message));
  return NL_OK;
}

NetlinkMessage bytes_of(const nlmsghdr& header) {
  const auto* first = reinterpret_cast<const uint8_t*>(&header);
  return NetlinkMessage(first, first + header.nlmsg_len);
}

nlmsghdr& header_of(NetlinkMessage& message) {
  return *reinterpret_cast<nlmsghdr*>(message.data());
}

template <typename T>
const T& payload_of(const nlmsghdr& header) {
  return *static_cast<const T*>(nlmsg_data(&header));
}

uint32_t* device_of_route(nlmsghdr& header) {
  nlattr* attribute = nlmsg_find_attr(&header, sizeof(rtmsg), RTA_OIF);
  return attribute != nullptr ? static_cast<uint32_t*>(nla_data(attribute)) : nullptr;
}

// libnl's error numbers hide the kernel's; these are the ones that callers look at.
int errno_of(int nl_error) {
  switch (-nl_error) {
    case 0:
      return 0;
    case NLE_EXIST:
      return EEXIST;
    case NLE_PERM:
      return EPERM;
    case NLE_OBJ_NOTFOUND:
      return ENOENT;
    case NLE_NODEV:
      return ENODEV;
    case NLE_OPNOTSUPP:
      return EOPNOTSUPP;
    default:
      return EINVAL;
  }
}

}  // namespace

Netlink::Netlink() : socket_(nl_socket_alloc()) {
  POSTERN_ASSERT(socket_ != nullptr);
  is_connected_ = nl_connect(socket_, NETLINK_ROUTE) == 0;
}

Netlink::~Netlink() {
  nl_socket_free(socket_);
}

void Netlink::dump(int type, int family, const std::function<void(const nlmsghdr&)>& each) {
  if (!is_connected_) return;
  rtgenmsg request = {};
  request.rtgen_family = static_cast<unsigned char>(family);
  if (nl_send_simple(socket_, type, NLM_F_DUMP, &request, sizeof request) < 0) return;
  nl_cb* callbacks = nl_cb_alloc(NL_CB_DEFAULT);
  nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, on_message,
            const_cast<std::function<void(const nlmsghdr&)>*>(&each));
  nl_recvmsgs(socket_, callbacks);
  nl_cb_put(callbacks);
}

std::vector<NetlinkMessage> Netlink::addresses_of(int index) {
  std::vector<NetlinkMessage> found;
  dump(RTM_GETADDR, AF_UNSPEC, [&](const nlmsghdr& header) {
    if (header.nlmsg_type != RTM_NEWADDR) return;
    const auto& address = payload_of<ifaddrmsg>(header);
    if (static_cast<int>(address.ifa_index) == index) found.push_back(bytes_of(header));
  });
  return found;
}

std::vector<NetlinkMessage> Netlink::routes_of(int index) {
  std::vector<NetlinkMessage> found;
  const auto each = [&](const nlmsghdr& header) {
    if (header.nlmsg_type != RTM_NEWROUTE) return;
    const auto& route = payload_of<rtmsg>(header);
    if (route.rtm_type != RTN_UNICAST || route.rtm_protocol == RTPROT_KERNEL) return;
    NetlinkMessage copy = bytes_of(header);
    const uint32_t* device = device_of_route(header_of(copy));
    if (device != nullptr && static_cast<int>(*device) == index) found.push_back(std::move(copy));
  };
  dump(RTM_GETROUTE, AF_INET, each);
  dump(RTM_GETROUTE, AF_INET6, each);
  return found;
}

std::optional<uint8_t> Netlink::ipv6_mode_of(int index) {
  std::optional<uint8_t> mode;
  dump(RTM_GETLINK, AF_UNSPEC, [&](const nlmsghdr& header) {
    if (payload_of<ifinfomsg>(header).ifi_index != index) return;
    auto* link = const_cast<nlmsghdr*>(&header);
    nlattr* families = nlmsg_find_attr(link, sizeof(ifinfomsg), IFLA_AF_SPEC);
    if (families == nullptr) return;
    nlattr* ipv6 = nla_find(static_cast<nlattr*>(nla_data(families)), nla_len(families), AF_INET6);
    if (ipv6 == nullptr) return;
    nlattr* found =
        nla_find(static_cast<nlattr*>(nla_data(ipv6)), nla_len(ipv6), IFLA_INET6_ADDR_GEN_MODE);
    if (found != nullptr) mode = nla_get_u8(found);
  });
  return mode;
}

int Netlink::ask(NetlinkMessage& message, uint16_t type, uint16_t flags) {
  nlmsghdr& header = header_of(message);
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  header.nlmsg_seq = nl_socket_use_seq(socket_);
  header.nlmsg_pid = nl_socket_get_local_port(socket_);
  if (!is_connected_) return ENOTCONN;
  if (const int sent = nl_sendto(socket_, message.data(), message.size()); sent < 0) {
    return errno_of(sent);
  }
  return errno_of(nl_wait_for_ack(socket_));
}

int Netlink::add(NetlinkMessage message, int index) {
  nlmsghdr& header = header_of(message);
  if (header.nlmsg_type == RTM_NEWADDR) {
    static_cast<ifaddrmsg*>(nlmsg_data(&header))->ifa_index = static_cast<uint32_t>(index);
  } else if (uint32_t* device = device_of_route(header); device != nullptr) {
    *device = static_cast<uint32_t>(index);
  }
  return ask(message, header.nlmsg_type, NLM_F_CREATE | NLM_F_EXCL);
}

int Netlink::remove_address(NetlinkMessage message) {
  return ask(message, RTM_DELADDR, 0);
}

int Netlink::set_ipv6_mode(int index, uint8_t mode) {
  nl_msg* message = nlmsg_alloc_simple(RTM_NEWLINK, 0);
  ifinfomsg link = {};
  link.ifi_index = index;
  nlmsg_append(message, &link, sizeof link, NLMSG_ALIGNTO);
  nlattr* families = nla_nest_start(message, IFLA_AF_SPEC);
  nlattr* ipv6 = nla_nest_start(message, AF_INET6);
  nla_put_u8(message, IFLA_INET6_ADDR_GEN_MODE, mode);
  nla_nest_end(message, ipv6);
  nla_nest_end(message, families);
  NetlinkMessage bytes = bytes_of(*nlmsg_hdr(message));
  nlmsg_free(message);
  return ask(bytes, RTM_NEWLINK, 0);
}

int Netlink::set_alias(int index, const std::string& alias) {
  nl_msg* message = nlmsg_alloc_simple(RTM_NEWLINK, 0);
  ifinfomsg link = {};
  link.ifi_index = index;
  nlmsg_append(message, &link, sizeof link, NLMSG_ALIGNTO);
  nla_put_string(message, IFLA_IFALIAS, alias.c_str());
  NetlinkMessage bytes = bytes_of(*nlmsg_hdr(message));
  nlmsg_free(message);
  return ask(bytes, RTM_NEWLINK, 0);
}

int Netlink::detach_xdp(int index) {
  nl_msg* message = nlmsg_alloc_simple(RTM_SETLINK, 0);
  ifinfomsg link = {};
  link.ifi_index = index;
  nlmsg_append(message, &link, sizeof link, NLMSG_ALIGNTO);
  nlattr* xdp = nla_nest_start(message, IFLA_XDP);
  nla_put_s32(message, IFLA_XDP_FD, -1);
  nla_nest_end(message, xdp);
  NetlinkMessage bytes = bytes_of(*nlmsg_hdr(message));
  nlmsg_free(message);
  return ask(bytes, RTM_SETLINK, 0);
}

}  // namespace postern
