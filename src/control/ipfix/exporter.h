// SPDX-License-Identifier: BSD-3-Clause
// Exporter: the IPFIX thread (P20). It drains the rings of flow records of all workers into a
// Stream, which sends them to the collector.
//
//   worker -> ring (8192 records) -> this thread -> Stream (131,072 records) -> collector
//
// A worker never waits: what its ring had no room for is counted by it, and told here in the status
// and to the collector. The Stream takes nothing that it has no room for, so a ring is where
// records are lost, and only while the collector is away for long. There is a thread from the first
// configuration on that asks for one; without a collector it sleeps. At its end it sends what goes
// in kFarewell.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/result.h"
#include "control/config/model_ipfix.h"
#include "control/ipfix/stream.h"
#include "dataplane/packet/counters.h"
#include "dataplane/table/spsc_ring.h"

namespace postern::ipfix {

class Exporter {
 public:
  struct Source {
    SpscRing<FlowRecord>* ring = nullptr;
    const WorkerCounters* counters = nullptr;  // for what was lost
  };
  struct World {
    std::vector<Source> sources;   // one a worker; outlive the exporter
    std::function<Instant()> now;  // the clock of the records; any thread
    Limits limits;
  };
  explicit Exporter(World world) : world_(std::move(world)), stream_(world_.limits) {}
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  // Thread: control. After the policy that asks workers for records, or does not any more, was
  // published: what is on its way is taken along for a while.
  void follow(const std::optional<Destination>& destination);
  // Thread: control. Workers have stopped.
  void stop();

  struct Status {
    bool is_on = false;
    bool is_open = false;                      // somebody seems to be there
    std::string collector;                     // "udp 192.0.2.9:4739"
    std::string fault;                         // of the last attempt
    uint64_t sent = 0, lost = 0, waiting = 0;  // records
  };
  Status status() const;  // thread: any
  // Thread: control, once a second or so. An error while the collector is away, and for a minute
  // after records were lost.
  Result<void> complaint();

 private:
  void run();
  bool wait();
  void take_destination();
  void drain();
  void look_after_loss(int64_t offset_ns);
  void tell_status();

  const World world_;
  mutable std::mutex mutex_;  // of these
  std::condition_variable wake_;
  std::optional<Destination> destination_;
  bool is_told_ = false, is_ending_ = false;
  Status status_;
  uint64_t lost_before_ = 0;  // control's: at the last look
  Instant complains_until_;   // likewise

  // The thread's own.
  Stream stream_;
  Loss loss_;
  uint64_t forgotten_ = 0;
  std::optional<Stream::Clock::time_point> ends_at_;  // nobody is to be told any more from then on
  std::thread thread_;
};

std::string collector_text(const config::Ipfix& ipfix);

}  // namespace postern::ipfix
