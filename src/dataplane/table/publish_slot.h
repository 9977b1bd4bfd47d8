// SPDX-License-Identifier: BSD-3-Clause
// PublishSlot: publish, acquire, grace. Control publishes one pointer with a release store; a
// worker acquires it once per turn and, when it has let go of every older one, stores the
// generation in its own cache line. What is older may go when every worker has told a newer
// generation (or is offline).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/assert.h"
#include "base/limits.h"
#include "dataplane/packet/packet.h"

namespace postern {

template <typename T>
class PublishSlot {
 public:
  explicit PublishSlot(unsigned workers) : workers_(workers) {
    POSTERN_ASSERT(workers >= 1 && workers <= kWorkersMax);
  }

  // Thread: control. The slot does not own what it points to.
  void publish(const T* next) {
    POSTERN_ASSERT(next != nullptr);
    current_.store(next, std::memory_order_release);
  }
  // Thread: control. Whether no worker can still read what is older than `generation`.
  bool is_past(uint32_t generation) const {
    for (unsigned i = 0; i < workers_; ++i) {
      if (seen_[i].generation.load(std::memory_order_acquire) < generation) return false;
    }
    return true;
  }

  // Thread: worker. nullptr before the first publication.
  const T* acquire() const { return current_.load(std::memory_order_acquire); }
  // Thread: worker `id`; it has finished with everything older than `generation`.
  void finished(WorkerId id, uint32_t generation) {
    seen_[id].generation.store(generation, std::memory_order_release);
  }

 private:
  struct alignas(kOwnLines) Seen {
    std::atomic<uint32_t> generation{0};
  };  // worker: write, control: read
  unsigned workers_;
  alignas(kOwnLines) std::atomic<const T*> current_{nullptr};  // control: write
  std::array<Seen, kWorkersMax> seen_;
};

}  // namespace postern
