// SPDX-License-Identifier: BSD-3-Clause
// Any text as a lease file of another server: it is refused, or its leases are sound.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "services/dhcp/import.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto leases = postern::dhcp::read_lease_file(text, 1'700'000'000);
  if (!leases) return 0;
  for (const auto& lease : *leases) {
    POSTERN_ASSERT(lease.ends_s > 1'700'000'000);
    POSTERN_ASSERT(!lease.client.empty());
    POSTERN_ASSERT(lease.host_name.size() <= 63);
  }
  return 0;
}
