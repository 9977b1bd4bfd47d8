// SPDX-License-Identifier: BSD-3-Clause
// Lease files of other servers: dnsmasq ("EXPIRY MAC ADDRESS NAME CLIENT-ID") and ISC dhcpd
// ("lease ADDRESS { ... }"). Which of them a text is, is told by its form. Thread: any; pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "services/dhcp/lease.h"

namespace postern::dhcp {

// Leases that still hold at `now_s`, the last one of each address. An error names the line that is
// of neither form.
Result<std::vector<Lease>> read_lease_file(std::string_view text, int64_t now_s);

}  // namespace postern::dhcp
