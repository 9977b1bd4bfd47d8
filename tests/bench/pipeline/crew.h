// SPDX-License-Identifier: BSD-3-Clause
// Several workers of one gateway, each a thread on a core of its own, with the frames and sessions
// that a NIC would give it. Each is measured while all are at work and, in between, alone.
//
//   round:  0 alone -> 1 alone -> ... -> all together
//
// Alone is the one worker of a gateway of its own, with the same flows on the same core, while the
// others sleep: so the work is equal, and what is dearer together is what workers do to each other.
#pragma once

#include <vector>

#include "bench/pipeline/work.h"

namespace postern::bench {

struct Colleague {
  unsigned core = 0;
  uint32_t sessions = 0;
  Measured alone, together;
};

// The first so many cores that this process may use; empty: there are fewer.
std::vector<unsigned> cores_for(unsigned workers);

// A row's sessions are those of all workers. Ends the process with a message when a packet did not
// go the right way.
std::vector<Colleague> measure(const Row& row, const std::vector<unsigned>& cores,
                               const Effort& effort);

}  // namespace postern::bench
