// SPDX-License-Identifier: BSD-3-Clause
// owner_of(): the worker that owns a packet's flow, from the packet and the policy alone.
//
// Both directions of a flow, and every flow of one dynamic mapping, must give the same worker:
//
//   packet                                      owner
//   to a configured mapping, from outside       hash(inside host)
//   to a dynamic port, from outside             slice of the port
//   to either, from inside                      hash(source): first half of a hairpin; where the
//                                               source is kept, as its answer
//   the same at a port inside, by that port     its answer's, and slice of the port
//   the second half, to a configured mapping    as its answer
//   gateway <-> anybody, by an external address slice of the gateway's port
//   gateway <-> anybody, by another address     hash(the other side)
//   inside -> outside                           hash(source)
//   outside -> inside                           hash(destination)
//   inside -> inside, outside -> outside        hash(source) ^ hash(destination)
//   protocols without ports                     hash(remote) where one side is outside;
//                                               hash(external address) between it and inside
#pragma once

#include "dataplane/policy/policy.h"

namespace postern {

// `rounds`: hairpin passes so far. Thread: any. Pure. With one worker the answer is 0 at no cost.
WorkerId owner_of(const Policy& policy, const FlowKey& key, InterfaceId in, unsigned rounds);

// The worker that keeps the fragment train of a datagram.
WorkerId train_owner(const Policy& policy, const FlowKey& key, uint16_t identification);

}  // namespace postern
