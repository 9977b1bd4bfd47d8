// SPDX-License-Identifier: BSD-3-Clause
// What the leases of the gateway's own interfaces make of a configuration. Pure. Thread: control.
//
// A server on a wire of ours may give an address and ways out, and nothing that is ours already: a
// lease within our networks is objected to, a route that leads into them is left out, and so is a
// name server there. Routes of the file stand before those of leases; of two leases with a default
// route the interface that comes first in the file has it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/config/model.h"
#include "services/dhcp/client_lease.h"

namespace postern {

using Leases = std::map<std::string, dhcp::ClientLease>;  // by interface

// Why `lease` is not for `interface`, as the end of a sentence; empty: it is. `model` is that of
// the file, `others` may hold a lease of the interface itself.
std::string objection_to(const dhcp::ClientLease& lease, const std::string& interface,
                         const config::Model& model, const Leases& others);

// The model with addresses and routes of the leases that nothing is said against.
config::Model with_leases(const config::Model& model, const Leases& leases);

// Name servers of all leases, in the order of the file.
std::vector<Ipv4Address> learned_servers(const config::Model& model, const Leases& leases);

}  // namespace postern
