// SPDX-License-Identifier: BSD-3-Clause
// Objects of libnl that free themselves, and its errors as ours. Thread: control.
#pragma once

#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace postern {

struct NetlinkDeleter {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
  void operator()(nl_cache* cache) const { nl_cache_free(cache); }
  void operator()(nl_addr* address) const { nl_addr_put(address); }
  void operator()(rtnl_addr* address) const { rtnl_addr_put(address); }
  void operator()(rtnl_link* link) const { rtnl_link_put(link); }
  void operator()(rtnl_route* route) const { rtnl_route_put(route); }
  void operator()(rtnl_rule* rule) const { rtnl_rule_put(rule); }
};
template <typename T>
using Owned = std::unique_ptr<T, NetlinkDeleter>;

inline Error netlink_error(const std::string& what, int error) {
  return {error == -NLE_PERM ? ErrorCode::denied : ErrorCode::failed,
          what + ": " + nl_geterror(error)};
}

}  // namespace postern
