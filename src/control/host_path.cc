// SPDX-License-Identifier: BSD-3-Clause
#include "control/host_path.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "control/host_delivery.h"
#include "control/netlink_owned.h"

namespace postern {
namespace {

Owned<nl_addr> to_netlink(Ipv4Address address, int prefix_length) {
  be32 wire = address.wire();
  Owned<nl_addr> made(nl_addr_build(AF_INET, &wire, sizeof wire));
  nl_addr_set_prefixlen(made.get(), prefix_length);
  return made;
}

// Empty: not an IPv4 address.
std::optional<Prefix> from_netlink(nl_addr* address) {
  if (address == nullptr || nl_addr_get_family(address) != AF_INET) return std::nullopt;
  be32 wire;
  if (nl_addr_get_len(address) == sizeof wire) {
    std::memcpy(&wire, nl_addr_get_binary_addr(address), sizeof wire);
  }
  return Prefix{Ipv4Address(wire), static_cast<uint8_t>(nl_addr_get_prefixlen(address))};
}

Result<void> set_sysctl(const std::string& path, const char* value) {
  int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error{ErrorCode::failed, path + ": " + std::strerror(errno)};
  char now[32] = {};
  ssize_t n = read(fd, now, sizeof now - 1);
  bool is_set = n > 0 && std::string(now, static_cast<size_t>(n)) == std::string(value) + "\n";
  bool done = is_set || pwrite(fd, value, std::strlen(value), 0) > 0;
  int reason = errno;
  close(fd);
  if (!done) return Error{ErrorCode::failed, path + ": " + std::strerror(reason)};
  return {};
}

std::string sysctl_path(const std::string& device) {
  return "/proc/sys/net/ipv4/conf/" + device + "/";
}

// What the kernel may and may not do on a device of ours.
Result<void> set_device_sysctls(const std::string& device) {
  const std::string ipv4 = sysctl_path(device);
  struct Setting {
    const char* key;
    const char* value;
  };
  static constexpr Setting kSettings[] = {
      {"forwarding", "0"},           // F02
      {"accept_local", "1"},         // answers to connections between our own addresses
      {"rp_filter", "2"},            // loose: the packet path has checked sources already
      {"promote_secondaries", "1"},  // removing one address must not remove its neighbors
  };
  for (const Setting& setting : kSettings) {
    if (auto done = set_sysctl(ipv4 + setting.key, setting.value); !done) return done;
  }
  const std::string ipv6 = "/proc/sys/net/ipv6/conf/" + device + "/disable_ipv6";
  if (access(ipv6.c_str(), F_OK) != 0) return {};  // a kernel without IPv6
  return set_sysctl(ipv6, "1");
}

}  // namespace

struct HostPath::State {
  Owned<nl_sock> socket;
  std::vector<std::string> devices;  // of the last plan

  Result<int> index_of(const std::string& device);
  Result<void> set_link(const HostDevice& device);
  Result<void> set_addresses(const HostDevice& device, int index);
  Result<void> change_address(const HostDevice& device, int index, const Prefix& prefix, bool add);
  Result<void> remove_routes(const HostPlan& plan, const std::map<int, std::string>& devices);
  Result<void> add_route(const HostRoute& route, int index);
};

HostPlan plan_host_path(const Policy& policy,
                        const std::function<std::string(InterfaceId)>& device_of) {
  HostPlan plan;
  for (size_t i = 0; i < policy.interfaces.size(); ++i) {
    const PolicyInterface& interface = policy.interfaces[i];
    auto id = static_cast<InterfaceId>(i);
    std::string name = interface.exists ? device_of(id) : "";
    if (name.empty()) continue;
    plan.devices.push_back({id, name, interface.mtu, interface.addresses});
    if ((policy.interception.in & set_of(id)) != 0) plan.delivers.push_back(name);
  }
  for (const Route& route : policy.routes.routes()) {
    if (route.connected || route.interface == kGateway || route.via.is_unspecified()) continue;
    std::string name = device_of(route.interface);
    if (!name.empty()) plan.routes.push_back({route.to, route.via, name});
  }
  return plan;
}

HostPath::HostPath(std::unique_ptr<State> state) : state_(std::move(state)) {}
HostPath::~HostPath() {
  static_cast<void>(deliver_locally(*state_->socket, {}));
}

Result<std::unique_ptr<HostPath>> HostPath::open() {
  auto state = std::make_unique<State>();
  state->socket.reset(nl_socket_alloc());
  if (int error = nl_connect(state->socket.get(), NETLINK_ROUTE); error < 0) {
    return netlink_error("netlink", error);
  }
  return std::unique_ptr<HostPath>(new HostPath(std::move(state)));
}

Result<void> HostPath::apply(const HostPlan& plan) {
  Result<void> first;
  auto note = [&](Result<void> outcome) {
    if (first && !outcome) first = std::move(outcome);
  };
  std::map<int, std::string> devices;
  std::map<std::string, int> indexes;
  state_->devices.clear();
  for (const HostDevice& device : plan.devices) {
    state_->devices.push_back(device.name);
    note(set_device_sysctls(device.name));
    note(state_->set_link(device));
    auto index = state_->index_of(device.name);
    if (!index) {
      note(std::move(index).error());
      continue;
    }
    devices[*index] = device.name;
    indexes[device.name] = *index;
    note(state_->set_addresses(device, *index));
  }
  note(state_->remove_routes(plan, devices));
  for (const HostRoute& route : plan.routes) {
    auto found = indexes.find(route.device);
    if (found != indexes.end()) note(state_->add_route(route, found->second));
  }
  note(deliver_locally(*state_->socket, plan.delivers));
  return first;
}

Result<void> HostPath::keep_from_forwarding() {
  Result<void> first;
  for (const std::string& device : state_->devices) {
    auto done = set_sysctl(sysctl_path(device) + "forwarding", "0");
    if (first && !done) first = std::move(done);
  }
  return first;
}

Result<int> HostPath::State::index_of(const std::string& device) {
  rtnl_link* found = nullptr;
  if (int error = rtnl_link_get_kernel(socket.get(), 0, device.c_str(), &found); error < 0) {
    return netlink_error("host device " + device, error);
  }
  Owned<rtnl_link> link(found);
  return rtnl_link_get_ifindex(link.get());
}

Result<void> HostPath::State::set_link(const HostDevice& device) {
  rtnl_link* found = nullptr;
  if (int error = rtnl_link_get_kernel(socket.get(), 0, device.name.c_str(), &found); error < 0) {
    return netlink_error("host device " + device.name, error);
  }
  Owned<rtnl_link> link(found);
  Owned<rtnl_link> change(rtnl_link_alloc());
  rtnl_link_set_flags(change.get(), IFF_UP);
  if (rtnl_link_get_mtu(link.get()) != device.mtu) rtnl_link_set_mtu(change.get(), device.mtu);
  if (int error = rtnl_link_change(socket.get(), link.get(), change.get(), 0); error < 0) {
    return netlink_error("host device " + device.name, error);
  }
  return {};
}

// Adds before it removes, so that the device is never without an address that stays.
Result<void> HostPath::State::set_addresses(const HostDevice& device, int index) {
  nl_cache* loaded = nullptr;
  if (int error = rtnl_addr_alloc_cache(socket.get(), &loaded); error < 0) {
    return netlink_error("addresses of " + device.name, error);
  }
  Owned<nl_cache> cache(loaded);
  std::vector<Prefix> present;
  for (nl_object* o = nl_cache_get_first(loaded); o != nullptr; o = nl_cache_get_next(o)) {
    auto* address = reinterpret_cast<rtnl_addr*>(o);
    if (rtnl_addr_get_ifindex(address) != index) continue;
    if (auto prefix = from_netlink(rtnl_addr_get_local(address))) present.push_back(*prefix);
  }
  auto has = [](const std::vector<Prefix>& list, const Prefix& prefix) {
    return std::find(list.begin(), list.end(), prefix) != list.end();
  };
  for (const Prefix& prefix : device.addresses) {
    if (has(present, prefix)) continue;
    if (auto done = change_address(device, index, prefix, true); !done) return done;
  }
  for (const Prefix& prefix : present) {
    if (has(device.addresses, prefix)) continue;
    if (auto done = change_address(device, index, prefix, false); !done) return done;
  }
  return {};
}

Result<void> HostPath::State::change_address(const HostDevice& device, int index,
                                             const Prefix& prefix, bool add) {
  Owned<rtnl_addr> address(rtnl_addr_alloc());
  Owned<nl_addr> local = to_netlink(prefix.address, prefix.length);
  rtnl_addr_set_ifindex(address.get(), index);
  rtnl_addr_set_local(address.get(), local.get());
  if (prefix.length < 31) {
    Owned<nl_addr> broadcast = to_netlink(prefix.last(), 32);
    rtnl_addr_set_broadcast(address.get(), broadcast.get());
  }
  int error = add ? rtnl_addr_add(socket.get(), address.get(), 0)
                  : rtnl_addr_delete(socket.get(), address.get(), 0);
  bool was_so = error == (add ? -NLE_EXIST : -NLE_NOADDR);
  if (error < 0 && !was_so) return netlink_error(device.name + " " + to_text(prefix), error);
  return {};
}

// Our routes on our devices that the plan does not have.
Result<void> HostPath::State::remove_routes(const HostPlan& plan,
                                            const std::map<int, std::string>& devices) {
  nl_cache* loaded = nullptr;
  if (int error = rtnl_route_alloc_cache(socket.get(), AF_INET, 0, &loaded); error < 0) {
    return netlink_error("routes of the host path", error);
  }
  Owned<nl_cache> cache(loaded);
  for (nl_object* o = nl_cache_get_first(loaded); o != nullptr; o = nl_cache_get_next(o)) {
    auto* route = reinterpret_cast<rtnl_route*>(o);
    if (rtnl_route_get_protocol(route) != kRouteProtocol) continue;
    rtnl_nexthop* hop = rtnl_route_nexthop_n(route, 0);
    if (hop == nullptr) continue;
    auto device = devices.find(rtnl_route_nh_get_ifindex(hop));
    auto to = from_netlink(rtnl_route_get_dst(route));
    auto via = from_netlink(rtnl_route_nh_get_gateway(hop));
    if (device == devices.end() || !to || !via) continue;
    HostRoute present{*to, via->address, device->second};
    if (std::find(plan.routes.begin(), plan.routes.end(), present) != plan.routes.end()) continue;
    if (int error = rtnl_route_delete(socket.get(), route, 0);
        error < 0 && error != -NLE_OBJ_NOTFOUND) {
      return netlink_error("route " + to_text(*to), error);
    }
  }
  return {};
}

Result<void> HostPath::State::add_route(const HostRoute& wanted, int index) {
  Owned<rtnl_route> route(rtnl_route_alloc());
  Owned<nl_addr> to = to_netlink(wanted.to.network(), wanted.to.length);
  Owned<nl_addr> via = to_netlink(wanted.via, 32);
  rtnl_route_set_family(route.get(), AF_INET);
  rtnl_route_set_table(route.get(), RT_TABLE_MAIN);
  rtnl_route_set_scope(route.get(), RT_SCOPE_UNIVERSE);
  rtnl_route_set_type(route.get(), RTN_UNICAST);
  rtnl_route_set_protocol(route.get(), kRouteProtocol);
  rtnl_route_set_priority(route.get(), kRouteMetric);
  rtnl_route_set_dst(route.get(), to.get());
  rtnl_nexthop* hop = rtnl_route_nh_alloc();  // the route owns it from here
  rtnl_route_nh_set_ifindex(hop, index);
  rtnl_route_nh_set_gateway(hop, via.get());
  rtnl_route_add_nexthop(route.get(), hop);
  int error = rtnl_route_add(socket.get(), route.get(), NLM_F_CREATE | NLM_F_REPLACE);
  if (error < 0) {
    return netlink_error(fmt::format("route {} via {} dev {}", to_text(wanted.to),
                                     to_text(wanted.via), wanted.device),
                         error);
  }
  return {};
}

namespace {

// Whether a file of /proc/sys says "0".
Result<bool> is_off(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error{ErrorCode::failed, path + ": " + std::strerror(errno)};
  char value = '?';
  ssize_t n = read(fd, &value, 1);
  close(fd);
  return n == 1 && value == '0';
}

Error forwards(const std::string& what, const std::string& key) {
  return {ErrorCode::failed,
          what + " forwards packets past the gateway; mend it with: sysctl -w " + key + "=0"};
}

}  // namespace

Result<void> check_forwarding_is_off(const std::string& proc) {
  const std::string ipv4 = proc + "/sys/net/ipv4/";
  auto off = is_off(ipv4 + "ip_forward");
  if (!off) return std::move(off).error();
  if (!*off) return forwards("the kernel", "net.ipv4.ip_forward");
  // What comes in by an interface is forwarded by that interface's own setting alone; "default" is
  // that of interfaces to come.
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(ipv4 + "conf", error)) {
    const std::string name = entry.path().filename();
    auto interface_off = is_off(entry.path() / "forwarding");
    if (!interface_off || *interface_off) continue;  // an interface may go while we look
    // sysctl takes slashes where a name has dots.
    return forwards("the kernel's " + name, "net/ipv4/conf/" + name + "/forwarding");
  }
  return {};
}

}  // namespace postern
