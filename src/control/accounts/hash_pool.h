// SPDX-License-Identifier: BSD-3-Clause
// HashPool: two threads for what would hold up the control thread: hashing passwords, and writing
// the account file.
//
// Bounded: kJobsMax wait, further ones are refused; memory is that of one hash a thread. The
// threads run with a lower priority than the one that made them. Thread: control; a job runs on one
// of the pool, its end on the loop.
#pragma once

#include <functional>
#include <memory>

#include "control/loop.h"

namespace postern::accounts {

class HashPool {
 public:
  static constexpr unsigned kThreads = 2;
  static constexpr size_t kJobsMax = 32;

  explicit HashPool(Loop& loop);
  ~HashPool();  // waits for jobs that run; their ends and those that wait are forgotten
  HashPool(const HashPool&) = delete;
  HashPool& operator=(const HashPool&) = delete;

  // False: too many wait; neither is called. `work` touches nothing that the control thread does.
  bool run(std::function<void()> work, std::function<void()> then);
  // The same beyond the limit, for one caller that has one job at a time.
  void run_surely(std::function<void()> work, std::function<void()> then);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern::accounts
