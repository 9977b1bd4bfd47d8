// SPDX-License-Identifier: BSD-3-Clause
// What the machine has to say to the settings of the HTTP proxy. Thread: control.
#pragma once

#include <cstddef>
#include <vector>

#include "base/address.h"

namespace postern {

// Every IPv4 address that the kernel has at any interface, also at those that no configuration of
// ours names, as the one for management; none where it does not say.
std::vector<Ipv4Address> kernel_addresses();

// How many clients the proxy may have. Each costs two descriptors, one to it and one to a server:
// with a quarter of what the process may open, the other half is for everything else.
size_t connections_possible();

}  // namespace postern
