// SPDX-License-Identifier: BSD-3-Clause
// Site: what the workers of one gateway share, as in the daemon: policies made by the real
// compiler, the slot they are published in, neighbors. Gateway: one worker of it, with a pipeline
// of its own, but without ports. Time is the bench's own and moves as it says.
//
// Frames lie in slots, as far apart as packet buffers; a burst takes kBurstMax slots in a row. What
// a worker does before and after the pipeline (taking buffers, making Packets, sending) is outside
// of what is timed.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "bench/common/scene.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/policy/policy_slot.h"

namespace postern::bench {

constexpr InterfaceId kWan = 0, kLan = 1;

// Where the frames of one block lie: more than the first-level cache holds, as from a NIC.
class Slots {
 public:
  static constexpr unsigned kCount = 1024;
  explicit Slots(unsigned frame_bytes);
  uint8_t* frame(unsigned slot) { return first_ + size_t{slot} * stride_ + kHeadroomMin; }

 private:
  size_t stride_;
  std::vector<uint8_t> memory_;
  uint8_t* first_;
};

class Site {
 public:
  Site(const Scene& scene, unsigned workers);

  // The next policy of the same text takes over.
  void reload();
  const Shards& shards() const { return shards_; }
  Pipeline::Settings settings_of(WorkerId id) const;
  const NeighborTable& neighbors() const { return neighbors_; }
  PolicySlot& policies() { return slot_; }

 private:
  Shards shards_;
  PolicySlot slot_;
  NeighborTable neighbors_{HashSeed{{3, 5}}};
  Pipeline::Settings settings_;  // what is the same for all workers
  std::unique_ptr<Policy> policies_[2];
  uint32_t generation_ = 0;
};

class alignas(kOwnLines) Gateway {
 public:
  Gateway(Site& site, WorkerId id);

  void reload() { site_.reload(); }
  const Shards& shards() const { return site_.shards(); }
  WorkerId id() const { return id_; }
  void pass(Duration duration) { now_ = now_ + duration; }

  // Puts a frame into the burst; the buffer handle of its packet is the slot.
  void add(uint8_t* frame, uint16_t length, InterfaceId ingress, unsigned slot);
  unsigned burst_size() const { return burst_size_; }
  // The burst and one turn of housekeeping. Afterwards items() tells what became of it.
  void run();
  // The same; returns the ticks it took.
  uint64_t run_timed();
  // Turns of housekeeping until one ends no session; returns the ticks they took.
  uint64_t expire_timed();
  std::span<Outbox::Item> items() { return outbox_.items(); }
  void finish();  // with the items; a new burst begins

  const WorkerCounters& counters() const { return counters_; }
  uint32_t sessions() const { return pipeline_->sessions().size(); }
  // Memory of the tables of sessions and mappings, for each session that they have room for.
  double bytes_per_session() const;
  size_t drain_log();  // how many records there were

 private:
  void work();

  Site& site_;
  WorkerId id_;
  SpscRing<LogRecord> log_{kLogRing};
  SpscRing<ControlEvent> events_{kEventRing};
  WorkerCounters counters_;
  std::unique_ptr<Pipeline> pipeline_;
  Outbox outbox_;
  Packet burst_[kBurstMax];
  unsigned burst_size_ = 0;
  Instant now_{1'000'000'000};
};

}  // namespace postern::bench
