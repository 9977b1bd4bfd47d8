// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/client_lease.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace postern::dhcp {
namespace {

constexpr uint8_t kNoMask = 255;    // a netmask that is none
constexpr uint8_t kShortest = 8;    // prefix of a network or a route; but for the default route
constexpr uint32_t kTimerMin = 10;  // seconds; of T1 and T2 as servers give them

bool is_host(Ipv4Address address) {
  bool is_this_network = address.number >> 24 == 0;
  return !is_this_network && !address.is_multicast() && !address.is_loopback() &&
         !address.is_limited_broadcast() && !address.is_reserved();
}

bool is_network(const Prefix& prefix) {
  return prefix.length <= 32 &&
         (prefix.length == 0 || (prefix.length >= kShortest && is_host(prefix.address)));
}

std::vector<Ipv4Address> addresses_of(std::span<const uint8_t> bytes) {
  std::vector<Ipv4Address> list;
  for (size_t i = 0; i + 4 <= bytes.size(); i += 4)
    list.push_back(Ipv4Address(bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]));
  return list;
}

uint8_t prefix_length(const Message& message) {
  const uint8_t first = static_cast<uint8_t>(message.header.yiaddr.number >> 24);
  if (!message.has(option::subnet_mask)) return first < 128 ? 8 : first < 192 ? 16 : 24;
  const uint32_t mask = message.number32(option::subnet_mask);
  const auto ones = static_cast<uint8_t>(std::popcount(mask));
  return mask == mask_of(ones) ? ones : kNoMask;
}

// A router that is not on the lease's network cannot be asked for its hardware address: RFC 3442's
// routes to the wire itself, and those by such routers, are left out.
void check_routes(ClientLease& lease) {
  std::vector<ClasslessRoute> good;
  for (const ClasslessRoute& route : lease.routes) {
    const Ipv4Address via(route.via);
    bool is_router = is_host(via) && lease.address.contains(via) && via != lease.address.address &&
                     !lease.address.is_directed_broadcast(via);
    bool is_known = std::any_of(good.begin(), good.end(), [&](const ClasslessRoute& other) {
      return other.network == route.network && other.length == route.length;
    });
    bool is_good = is_router && !is_known && is_network({Ipv4Address(route.network), route.length});
    if (is_good && good.size() < kClientRoutesMax) good.push_back(route);
  }
  lease.routes = std::move(good);
}

void check_servers(ClientLease& lease) {
  std::vector<Ipv4Address> good;
  for (Ipv4Address server : lease.dns_servers) {
    bool is_good = is_host(server) && server != lease.address.address &&
                   std::find(good.begin(), good.end(), server) == good.end();
    if (is_good && good.size() < kClientServersMax) good.push_back(server);
  }
  lease.dns_servers = std::move(good);
}

// RFC 2131 4.4.5: T1 before T2 before the end.
void check_times(ClientLease& lease) {
  if (lease.lease_s == kLeaseForever) {
    lease.renew_s = lease.rebind_s = kLeaseForever;
    return;
  }
  if (lease.rebind_s < kTimerMin || lease.rebind_s >= lease.lease_s) {
    lease.rebind_s = lease.lease_s - lease.lease_s / 8;
  }
  if (lease.renew_s >= kTimerMin && lease.renew_s <= lease.rebind_s) return;
  lease.renew_s = std::min(lease.lease_s / 2, lease.rebind_s);
}

Error refused(std::string why) {
  return {ErrorCode::invalid, std::move(why)};
}

}  // namespace

Result<ClientLease> checked(ClientLease lease) {
  const Prefix& own = lease.address;
  if (!is_host(own.address)) return refused(to_text(own.address) + " is no address for a host");
  if (!is_host(lease.server)) return refused("its server does not say who it is");
  if (own.length > 32 || own.length < kShortest) return refused("its netmask is none");
  bool is_network_itself = own.length < 31 && own.address == own.network();
  if (is_network_itself || own.is_directed_broadcast(own.address)) {
    return refused(to_text(own) + " is no address for a host");
  }
  if (lease.lease_s < kClientLeaseMin) {
    return refused("it holds for " + std::to_string(lease.lease_s) + " s only");
  }
  check_routes(lease);
  check_servers(lease);
  check_times(lease);
  return lease;
}

Result<ClientLease> read_lease(const Message& message) {
  ClientLease lease;
  lease.address = {message.header.yiaddr, prefix_length(message)};
  lease.server = message.address(option::server_id);
  lease.routes = decode_routes(message.find(option::classless_routes));
  if (lease.routes.empty()) {
    for (Ipv4Address router : addresses_of(message.find(option::routers)))
      lease.routes.push_back({0, 0, router.number});
  }
  lease.dns_servers = addresses_of(message.find(option::dns_servers));
  lease.lease_s = message.number32(option::lease_time);
  lease.renew_s = message.number32(option::renewal_time);
  lease.rebind_s = message.number32(option::rebinding_time);
  return checked(std::move(lease));
}

}  // namespace postern::dhcp
