// SPDX-License-Identifier: BSD-3-Clause
// Which addresses are of the public internet (RFC 6890 and the registry that it began). Thread:
// any.
#pragma once

#include "base/address.h"

namespace postern {

// False: private, loopback, link-local, shared, reserved, multicast or broadcast.
bool is_public(Ipv4Address address);

}  // namespace postern
