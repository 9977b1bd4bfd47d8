// SPDX-License-Identifier: BSD-3-Clause
// What a DHCP server gives to the gateway itself, taken out of its message and checked: a server on
// the wire is not trusted with more than an address, ways out and name servers (RFC 2131 4.4.1, RFC
// 3442). Thread: any; pure. Bounds: kClientRoutesMax, kClientServersMax; more is left out.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "services/dhcp/message.h"
#include "services/dhcp/option_names.h"

namespace postern::dhcp {

constexpr uint32_t kLeaseForever = 0xFFFFFFFF;  // seconds (RFC 2131 3.3)
constexpr uint32_t kClientLeaseMin = 20;        // seconds; a shorter one is refused
constexpr size_t kClientRoutesMax = 64;
constexpr size_t kClientServersMax = 8;

struct ClientLease {
  Prefix address;  // host bits kept
  Ipv4Address server;
  std::vector<ClasslessRoute> routes;  // by routers on its network
  std::vector<Ipv4Address> dns_servers;
  // In seconds, from when it was asked for.
  uint32_t lease_s = 0;
  uint32_t renew_s = 0;   // T1
  uint32_t rebind_s = 0;  // T2
  bool operator==(const ClientLease&) const = default;
};

// A lease with what is no host, no route or no time left out or replaced by its default (T1 half,
// T2 seven eighths). The error says, as the end of a sentence, why it cannot be used at all.
Result<ClientLease> checked(ClientLease lease);

// What an OFFER or ACK gives. Option 121 stands in for option 3 (RFC3442-2); where there is no
// netmask, that of the address's class is taken; the MTU of option 26 is not asked for and ignored,
// since that of an interface is the configuration's.
Result<ClientLease> read_lease(const Message& message);

}  // namespace postern::dhcp
