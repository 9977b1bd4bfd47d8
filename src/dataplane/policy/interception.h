// SPDX-License-Identifier: BSD-3-Clause
// Interception: which connections the gateway's HTTP proxy answers in the place of the host outside
// that they are for (F56). They are judged as any other, and go to the host path instead of the
// wire, unchanged: the kernel takes them for its own (control/host_path.h), and the proxy reads
// from its socket where they were going.
//
// Only TCP from a host inside to one outside: then both directions belong to the worker of the host
// inside, as those of any connection outwards (pipeline/owner.h). Immutable; pure; thread: any.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "dataplane/packet/match.h"

namespace postern {

struct Interception {
  InterfaceSet in = 0;          // by which they come; 0: nothing is intercepted
  InterfaceSet out = 0;         // by which they would leave
  AddressSet from;              // clients
  AddressSet except;            // destinations that are left alone
  std::vector<uint16_t> ports;  // of destinations, host order; few
  bool is_served = true;        // false: the proxy does not listen, and they are refused

  // Of a flow that the filter permitted, and whose destination nothing translates.
  bool takes(const FlowQuery& query) const {
    if ((in & set_of(query.in)) == 0) return false;
    return query.protocol == protocol::tcp && (out & set_of(query.out)) != 0 &&
           std::find(ports.begin(), ports.end(), query.destination_port) != ports.end() &&
           from.contains(query.source) && !except.contains(query.destination);
  }
};

}  // namespace postern
