// SPDX-License-Identifier: BSD-3-Clause
// GenerationNames: names of the last generations of the policy, for the logging thread. Records
// still on their way keep the name of the rule that really decided (C07).
//
// Control adds, the logging thread looks up; a mutex guards the list, taken once per generation
// change seen, not per record. The names are shared_ptr because both threads may hold them last.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "control/compile/names.h"
#include "dataplane/policy/policy.h"

namespace postern {

struct LoggedNames {
  PolicyNames names;
  std::vector<Zone> zones;  // by interface id

  explicit LoggedNames(const Policy& policy);
};

class GenerationNames {
 public:
  static constexpr size_t kGenerationsMax = 16;

  // Thread: control. Before the policy is published.
  void add(const Policy& policy);
  // Thread: any. nullptr: that generation is not known any more.
  std::shared_ptr<const LoggedNames> find(uint32_t generation) const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const LoggedNames>> generations_;  // the newest last
};

}  // namespace postern
