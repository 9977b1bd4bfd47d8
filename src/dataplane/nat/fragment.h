// SPDX-License-Identifier: BSD-3-Clause
// FragmentTable: gives later fragments the ports of their first one (RFC 4787 REQ-14), in any order
// of arrival, without putting datagrams together.
//
// A train is (source, destination, protocol, identification). A later fragment that comes before
// the first is held (kFragmentsHeldMax in all, 16 a train) and let go when the first comes; when
// one has waited for two seconds, all that wait for the same first fragment are given up. A train
// is forgotten when all of its datagram has come, or after 30 s (RFC 1122 3.3.2 allows 60..120 for
// reassembly; a train in flight is over in milliseconds). Overlaps are refused for the whole train
// (RFC 1858, RFC 3128, F04), and so are more than 128 pieces; a piece that comes twice is not.
// Thread: the owning worker. Full: oldest train goes; of pieces that wait, those of the train that
// has waited longest, one for each that comes. Memory: 600 KiB.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/time.h"
#include "dataplane/packet/packet.h"
#include "dataplane/packet/verdict.h"
#include "dataplane/table/flow_map.h"

namespace postern {

class FragmentTable {
 public:
  explicit FragmentTable(const HashSeed& seed);
  ~FragmentTable();

  // For a parsed fragment. forward: packet.key has the ports now (ports_recovered set for later
  // ones), go on. hold: the table has it. drop: with its reason; with fragment_table_full, `packet`
  // may be another one now, which had to make room. A first fragment makes its followers ready in
  // release().
  Verdict admit(Packet& packet, Instant now);
  // Followers whose first fragment has come, ports filled in. Returns how many were written.
  size_t release(std::span<Packet> out);
  // Packets held too long, to be dropped with fragment_without_first. Returns how many were
  // written.
  size_t expire(Instant now, std::span<Packet> out);
  uint32_t held() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postern
