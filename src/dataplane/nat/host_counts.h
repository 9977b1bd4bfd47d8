// SPDX-License-Identifier: BSD-3-Clause
// HostCounts: how many sessions each host has opened and has been opened to, for the limits per
// host (P05).
//
// An entry exists as long as a session of the host does. Thread: the owning worker. Full:
// find_or_add refuses and the new session is dropped with host_table_full. Memory: 48 bytes a host.
#pragma once

#include <cstdint>

#include "dataplane/packet/drop_reason.h"
#include "dataplane/packet/flow_key.h"
#include "dataplane/table/flow_map.h"
#include "dataplane/table/table_memory.h"

namespace postern {

class HostCounts {
 public:
  // capacity 0: nothing is counted and nothing refused.
  HostCounts(uint32_t capacity, const HashSeed& seed);

  // Counts a session from `opener` to `responder`. Otherwise nothing changes: host_limit when one
  // of them has as many as it may (0: no limit), host_table_full when there is no room for a new
  // host.
  DropReason add(be32 opener, be32 responder, uint32_t from_max, uint32_t to_max);
  // Asks the cache for both; ahead of add() or remove().
  void look_ahead(be32 opener, be32 responder) const;
  // Counts it back.
  void remove(be32 opener, be32 responder);

  uint32_t size() const { return index_.size(); }
  uint32_t from(be32 host) const;
  uint32_t to(be32 host) const;

 private:
  struct Host {
    be32 address;
    uint32_t from = 0;  // sessions it opened
    uint32_t to = 0;    // sessions opened to it
    uint32_t next_free = kNone;
  };
  uint32_t find(be32 host) const;
  uint32_t find_or_add(be32 host);
  void free_when_unused(uint32_t index);

  FlowMap index_;
  TableArray<Host> hosts_;
  uint32_t free_ = kNone;
};

}  // namespace postern
