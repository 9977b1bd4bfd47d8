// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/policy/policy_slot.h"

#include "base/assert.h"

namespace postern {

PolicySlot::PolicySlot(unsigned workers) : workers_(workers) {
  POSTERN_ASSERT(workers >= 1 && workers <= kWorkersMax);
}

void PolicySlot::publish(const Policy* policy) {
  POSTERN_ASSERT(policy != nullptr);
  current_.store(policy, std::memory_order_release);
}

bool PolicySlot::is_past(uint32_t generation) const {
  for (unsigned i = 0; i < workers_; ++i) {
    if (seen_[i].generation.load(std::memory_order_acquire) < generation) return false;
  }
  return true;
}

}  // namespace postern
