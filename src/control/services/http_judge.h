// SPDX-License-Identifier: BSD-3-Clause
// may_reach(): whether the filter would let a client inside open a TCP connection there by itself
// (F58): decide(), as the workers and `postern explain` ask it, by the interface that the client's
// address belongs behind and with who is logged in there. It counts as no hit of any rule: no
// packet goes that way. Pure; thread: control.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "dataplane/policy/identities.h"
#include "dataplane/policy/policy.h"

namespace postern {

struct Reach {
  Ipv4Address client;
  uint16_t client_port = 0;
  Ipv4Address destination;
  uint16_t port = 0;
};

// `identities`: nullptr: nobody is logged in anywhere.
bool may_reach(const Policy& policy, const Identities* identities, const Reach& reach);

}  // namespace postern
