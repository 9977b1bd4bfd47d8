// SPDX-License-Identifier: BSD-3-Clause
// Which rules share a cluster. A packet looks into the clusters in which every one of its fields
// leaves some rule possible, so these should be few: rules for neighbouring addresses belong
// together, and those for any address apart from those for one. Which rule wins does not depend on
// it.
//
// cold: built with a policy, off the packet path.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/filter/rule.h"

namespace postern {

// The rules of `in_force`, cluster after cluster: ascending in each, and the clusters by their
// first rule.
std::vector<uint16_t> clustered(std::span<const Rule> rules, std::vector<uint16_t> in_force);

}  // namespace postern
