// SPDX-License-Identifier: BSD-3-Clause
// Pipeline: the whole path of a burst through one worker, from parsed frame to verdict. No DPDK, no
// clock, no allocation after construction: the daemon, the flow scripts and the fuzzers run this
// very code.
//
//   parse -> ARP
//         -> fragment: ports of the first piece
//         -> owner? -no-> hand-off
//         -> session lookup -hit--> judge again, TCP state, rewrite
//                           -miss-> decide, create session, rewrite
//         -> TTL, MTU, neighbor -> Outbox
//
// Everything that was put in comes out exactly once: by process(), by a later process() or by
// turn() (packets that were held). Thread: the owning worker.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/assert.h"
#include "base/limits.h"
#include "base/time.h"
#include "dataplane/capture/tap.h"
#include "dataplane/nat/session.h"
#include "dataplane/nat/shards.h"
#include "dataplane/packet/counters.h"
#include "dataplane/packet/flow_record.h"
#include "dataplane/packet/log_record.h"
#include "dataplane/packet/packet.h"
#include "dataplane/packet/verdict.h"
#include "dataplane/pipeline/neighbor.h"
#include "dataplane/policy/identities.h"
#include "dataplane/policy/policy.h"
#include "dataplane/table/spsc_ring.h"

namespace postern {

// What left the pipeline: each packet with what is to be done with its buffer. Refers to the
// packets of the bursts that were processed since clear().
class Outbox {
 public:
  struct Item {
    Packet* packet;  // of the burst, or kept here
    Verdict verdict;
  };
  // Two bursts, plus what one turn may let go: pieces of datagrams and packets that waited for a
  // neighbor, each of them released or given up.
  static constexpr size_t kKeptMax = kReleasedPerTurn * 4;
  static constexpr size_t kCapacity = kBurstMax * 2 + kKeptMax;

  // `packet` stays where it is until clear().
  [[gnu::always_inline]] void push(Packet& packet, Verdict verdict) {
    POSTERN_ASSERT(size_ < kCapacity);
    items_[size_++] = Item{&packet, verdict};
  }
  // A copy that lives until clear().
  Packet& keep(const Packet& packet) {
    POSTERN_ASSERT(kept_size_ < kKeptMax);
    return kept_[kept_size_++] = packet;
  }
  size_t room() const { return kCapacity - size_; }
  std::span<Item> items() { return {items_, size_}; }
  void clear() { size_ = kept_size_ = 0; }

 private:
  size_t size_ = 0, kept_size_ = 0;
  Item items_[kCapacity];
  Packet kept_[kKeptMax];
};

class Pipeline {
 public:
  struct Settings {
    WorkerId worker = 0;
    Shards shards;
    SessionLimits limits;       // of this worker
    uint32_t mappings_max = 0;  // of this worker
    HashSeed seed;              // of the tables; owners do not depend on it (shards.h)
    uint64_t random_seed = 0;   // of this worker
  };
  // Shared with others, which outlive the pipeline.
  struct Shared {
    const NeighborTable* neighbors = nullptr;
    SpscRing<LogRecord>* log = nullptr;
    SpscRing<ControlEvent>* events = nullptr;
    WorkerCounters* counters = nullptr;
    Tap* tap = nullptr;  // nullptr: nobody captures; sees refused packets that become answers
    IdentitySlot* identities = nullptr;     // nullptr: nobody ever logs in
    SpscRing<FlowRecord>* flows = nullptr;  // nullptr: nobody ever exports
  };
  Pipeline(const Settings& settings, const Shared& shared);
  ~Pipeline();

  // Packets of one burst (at most kBurstMax), from ports, host paths or other workers
  // (packet.errand tells). Set before: frame, length, buffer, ingress, from_host, errand (and all
  // that a hand-off kept). `policy` may be nullptr: everything is dropped with no_policy. Appends
  // to `out`, which must have room for the burst and kReleasedPerTurn more.
  void process(std::span<Packet> burst, const Policy* policy, Instant now, Outbox& out);

  // Housekeeping of one turn, bounded: expired sessions, sessions to judge again, held packets. To
  // be called once per poll turn, also when nothing arrived (then at least every 10 ms).
  void turn(const Policy* policy, Instant now, Outbox& out);
  // Whether the next turn should come soon: packets are held, sessions are to be judged again, or
  // more of them may have run out.
  bool has_work() const;

  // For dumps by the worker's own thread.
  const SessionTable& sessions() const;
  const MappingTable& mappings() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postern
