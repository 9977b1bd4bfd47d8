// SPDX-License-Identifier: BSD-3-Clause
// The leases of the gateway's own interfaces in the state directory, from which they are asked for
// again after a restart (RFC 2131 3.2). One JSON file, replaced whole. Thread: control.
#pragma once

#include <ctime>
#include <map>
#include <string>
#include <string_view>

#include "base/address.h"
#include "services/dhcp/client_lease.h"

namespace postern {

struct KeptLease {
  MacAddress mac;            // that asked for it
  std::time_t asked_at = 0;  // the time from which the lease counts
  dhcp::ClientLease lease;
  // Seconds that are left at `now`; 0: none, or the clock stands before the lease.
  uint32_t left_s(std::time_t now) const;
};
using KeptLeases = std::map<std::string, KeptLease>;  // by interface

std::string to_text(const KeptLeases& leases);
// What makes no sense is left out.
KeptLeases read_kept_leases(std::string_view text);

}  // namespace postern
