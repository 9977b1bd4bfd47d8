// SPDX-License-Identifier: BSD-3-Clause
// Runs a flow script on a FlowBed. Besides what the script says, every frame that leaves must have
// right checksums, the gateway's MAC as source and a MAC as destination; and where all pieces of a
// datagram have left, the datagram that they make must have a right transport checksum.
#pragma once

#include <string>

#include "support/flow_bed.h"
#include "support/flow_script.h"

namespace postern::test {

// "" when all of it came true, else "NAME:LINE: what is wrong", with what was expected and seen.
// `folder`: where the script's configuration file lies.
std::string run_flow_script(const FlowScript& script, const std::string& folder, FlowBed& bed);

}  // namespace postern::test
