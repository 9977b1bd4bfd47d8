// SPDX-License-Identifier: BSD-3-Clause
// The ordered lists of a policy as items with regions. Control thread; pure.
//
// What the regions leave out, so that they hold no more than packets that may exist: interfaces
// that are not there, and packets from the gateway to itself. What they do not know: that sources
// belong behind their interface, routes, and that the original destination is the destination where
// nothing was mapped. So whatever is covered by regions is covered, and a packet that regions leave
// may not exist.
#pragma once

#include <vector>

#include "control/analysis/cover.h"
#include "control/config/model.h"
#include "dataplane/policy/policy.h"

namespace postern::analysis {

// Rules of the policy, one item each and in that order; those that the user disabled match nothing,
// and those with times match at these. `policy` is compiled from `model` at whatever time.
std::vector<Item> filter_items(const config::Model& model, const Policy& policy);
// Position of the first rule of the file in the policy; those before it are the compiler's.
size_t first_user_rule(const config::Model& model, const Policy& policy);

// One-to-one mappings, which come first, and then the source rules.
std::vector<Item> source_items(const Policy& policy);

// The regions of packets from `in` to `out` with one of these services; for questions of one's own.
Region region_of(InterfaceSet in, InterfaceSet out, const Policy& policy);
RangeSet ranges_of(const AddressSet& set);

}  // namespace postern::analysis
