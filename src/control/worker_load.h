// SPDX-License-Identifier: BSD-3-Clause
// WorkerLoad: which share of its time each worker was busy with packets, between the last two
// looks. Thread: control.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace postern {

class WorkerLoad {
 public:
  explicit WorkerLoad(size_t workers = 0) : workers_(workers) {}

  // `busy_ns` of worker `worker` at `now`, both of all time.
  void look(size_t worker, uint64_t busy_ns, Instant now) {
    Worker& seen = workers_.at(worker);
    const int64_t passed = (now - seen.at).ns;
    if (passed > 0 && seen.at.ns != 0) {
      const double share =
          static_cast<double>(busy_ns - seen.busy_ns) / static_cast<double>(passed);
      seen.share = share < 1 ? share : 1;
    }
    seen.busy_ns = busy_ns;
    seen.at = now;
  }
  // 0 to 1.
  double share(size_t worker) const { return workers_.at(worker).share; }

 private:
  struct Worker {
    uint64_t busy_ns = 0;
    Instant at;  // zero: not looked at yet
    double share = 0;
  };
  std::vector<Worker> workers_;
};

}  // namespace postern
