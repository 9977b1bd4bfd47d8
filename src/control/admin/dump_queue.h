// SPDX-License-Identifier: BSD-3-Clause
// DumpQueue: copies of the workers' sessions or mappings, for one asker after the other.
//
// A job asks every worker in turn, a block at a time; the loop goes on in between. Bounded:
// kJobsMax jobs wait, and a job that takes longer than kJobTimeout ends incomplete. Thread:
// control.
#pragma once

#include <deque>
#include <functional>

#include "base/time.h"
#include "control/loop.h"
#include "dataplane/runtime/dataplane.h"

namespace postern::admin {

class DumpQueue {
 public:
  static constexpr size_t kJobsMax = 8;

  explicit DumpQueue(Loop& loop) : loop_(loop) {}

  struct Job {
    Dump::What what = Dump::What::sessions;
    // False: this worker's further rows are not wanted.
    std::function<bool(WorkerId worker, const Dump::Block& block)> on_block;
    std::function<void(bool is_complete)> on_end;
  };
  // False: too many wait already; nothing is called.
  bool add(Dataplane& dataplane, Job job);

 private:
  void begin();
  void turn();
  void end(bool is_complete);

  Loop& loop_;
  Dataplane* dataplane_ = nullptr;
  std::deque<Job> jobs_;  // the first one runs
  WorkerId worker_ = 0;   // that is being asked
  bool is_asked_ = false;
  Instant deadline_;
  Dump::Block block_;
};

}  // namespace postern::admin
