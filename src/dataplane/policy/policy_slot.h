// SPDX-License-Identifier: BSD-3-Clause
// PolicySlot: publish, acquire, grace. Control publishes one pointer with a release store; a worker
// acquires it once per turn and, at the end of the turn, stores the generation it has finished with
// in its own cache line. The old policy may go when every worker has finished with a newer one (or
// is offline).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/limits.h"
#include "dataplane/policy/policy.h"

namespace postern {

class PolicySlot {
 public:
  explicit PolicySlot(unsigned workers);

  // Thread: control. The slot does not own the policy.
  void publish(const Policy* policy);
  // Thread: control. Whether no worker can still read policies older than `generation`.
  bool is_past(uint32_t generation) const;

  // Thread: worker. nullptr before the first publication: nothing may cross.
  const Policy* acquire() const { return current_.load(std::memory_order_acquire); }
  // Thread: worker `id`, at the end of a turn in which it used `generation`.
  void finished(WorkerId id, uint32_t generation) {
    seen_[id].generation.store(generation, std::memory_order_release);
  }

 private:
  struct alignas(kOwnLines) Seen {
    std::atomic<uint32_t> generation{0};
  };  // worker: write, control: read
  unsigned workers_;
  alignas(kOwnLines) std::atomic<const Policy*> current_{nullptr};  // control: write
  std::array<Seen, kWorkersMax> seen_;
};

}  // namespace postern
