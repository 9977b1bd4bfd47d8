// SPDX-License-Identifier: BSD-3-Clause
#include "control/host_delivery.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>

#include <algorithm>
#include <memory>

#include "base/address.h"
#include "control/host_path.h"
#include "control/netlink_owned.h"

namespace postern {
namespace {

// The device of a rule of ours; empty: it is another's.
std::string device_of(rtnl_rule* rule) {
  uint8_t protocol = 0;
  const bool is_ours =
      rtnl_rule_get_family(rule) == AF_INET && rtnl_rule_get_table(rule) == kDeliveryTable &&
      rtnl_rule_get_protocol(rule, &protocol) == 0 && protocol == HostPath::kRouteProtocol;
  const char* device = is_ours ? rtnl_rule_get_iif(rule) : nullptr;
  return device != nullptr ? device : "";
}

Result<void> add_rule(nl_sock& socket, const std::string& device) {
  Owned<rtnl_rule> rule(rtnl_rule_alloc());
  rtnl_rule_set_family(rule.get(), AF_INET);
  rtnl_rule_set_action(rule.get(), FR_ACT_TO_TBL);
  rtnl_rule_set_table(rule.get(), kDeliveryTable);
  rtnl_rule_set_prio(rule.get(), kDeliveryPriority);
  rtnl_rule_set_protocol(rule.get(), HostPath::kRouteProtocol);
  int error = rtnl_rule_set_iif(rule.get(), device.c_str());
  if (error == 0) error = rtnl_rule_add(&socket, rule.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (error < 0 && error != -NLE_EXIST) return netlink_error("rule for " + device, error);
  return {};
}

Result<void> add_route(nl_sock& socket) {
  const be32 anybody;
  Owned<rtnl_route> route(rtnl_route_alloc());
  Owned<nl_addr> to(nl_addr_build(AF_INET, &anybody, sizeof anybody));
  nl_addr_set_prefixlen(to.get(), 0);
  rtnl_route_set_family(route.get(), AF_INET);
  rtnl_route_set_table(route.get(), kDeliveryTable);
  rtnl_route_set_scope(route.get(), RT_SCOPE_HOST);
  rtnl_route_set_type(route.get(), RTN_LOCAL);
  rtnl_route_set_protocol(route.get(), HostPath::kRouteProtocol);
  rtnl_route_set_dst(route.get(), to.get());
  rtnl_nexthop* hop = rtnl_route_nh_alloc();  // the route owns it from here
  rtnl_route_nh_set_ifindex(hop, static_cast<int>(if_nametoindex("lo")));
  rtnl_route_add_nexthop(route.get(), hop);
  const int error = rtnl_route_add(&socket, route.get(), NLM_F_CREATE | NLM_F_REPLACE);
  if (error < 0) return netlink_error("local route for all", error);
  return {};
}

}  // namespace

Result<void> deliver_locally(nl_sock& socket, const std::vector<std::string>& devices) {
  Result<void> first;
  auto note = [&](Result<void> outcome) {
    if (first && !outcome) first = std::move(outcome);
  };
  nl_cache* loaded = nullptr;
  if (int error = rtnl_rule_alloc_cache(&socket, AF_INET, &loaded); error < 0) {
    if (devices.empty()) return {};  // a kernel without rules has none of ours
    return netlink_error("routing rules", error);
  }
  Owned<nl_cache> cache(loaded);
  std::vector<std::string> present;
  for (nl_object* o = nl_cache_get_first(loaded); o != nullptr; o = nl_cache_get_next(o)) {
    auto* rule = reinterpret_cast<rtnl_rule*>(o);
    const std::string device = device_of(rule);
    if (device.empty()) continue;
    if (std::find(devices.begin(), devices.end(), device) != devices.end()) {
      present.push_back(device);
    } else if (int error = rtnl_rule_delete(&socket, rule, 0); error < 0) {
      note(netlink_error("rule for " + device, error));
    }
  }
  // The route first: a rule that leads nowhere lets packets go on to the main table.
  if (!devices.empty()) note(add_route(socket));
  for (const std::string& device : devices) {
    if (std::find(present.begin(), present.end(), device) == present.end())
      note(add_rule(socket, device));
  }
  return first;
}

}  // namespace postern
