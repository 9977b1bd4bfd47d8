// SPDX-License-Identifier: BSD-3-Clause
// Counters of one worker. The worker adds, others read while it runs: relaxed loads and stores, no
// atomic read-modify-write, so an increment costs what a plain one does.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/limits.h"
#include "dataplane/packet/drop_reason.h"

namespace postern {

class Counter {
 public:
  // Thread: the one writer.
  [[gnu::always_inline]] void add(uint64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  // Any thread.
  uint64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// The pipeline counts rx_* and drops; whoever transmits (the worker) counts tx_* and
// host_tx_packets.
struct InterfaceCounters {
  Counter rx_packets, rx_bytes;              // frames from the wire
  Counter tx_packets, tx_bytes;              // frames to the wire
  Counter host_rx_packets, host_tx_packets;  // from and to the kernel by the host path
  Counter rx_drops, tx_drops;  // dropped frames by the port they came from / should leave by
};

struct RuleCounters {
  Counter packets, bytes;
  Counter last_hit_ns;  // Instant of the last hit, 0: never
};

// worker: write, others: read.
struct alignas(kOwnLines) WorkerCounters {
  std::array<Counter, kDropReasons> drops;
  std::array<Counter, kDropReasons> suppressed;  // log records of refusals beyond the rate
  std::array<InterfaceCounters, kInterfacesMax> interfaces;
#define POSTERN_COUNTER(name) Counter name;
#include "dataplane/packet/counters.def"
#undef POSTERN_COUNTER
};

// The counters of counters.def, for whoever shows all of them.
struct NamedCounter {
  const char* name;
  Counter WorkerCounters::*counter;
};
inline constexpr NamedCounter kWorkerCounters[] = {
#define POSTERN_COUNTER(name) {#name, &WorkerCounters::name},
#include "dataplane/packet/counters.def"
#undef POSTERN_COUNTER
};

}  // namespace postern
