// SPDX-License-Identifier: BSD-3-Clause
// Publisher: puts a compiled policy before the workers, waits for grace without blocking, and keeps
// the counters of rules across generations.
//
//   publish(new) -> slot -> ... every worker has finished with older ones -> collect(): counters
//   of the old policy are added to the totals by rule name, the policy is freed
//
// A rule keeps its counters as long as a policy has a rule of its name (P16). Thread: control.
// Bounded: kRetiredMax policies wait for grace; a worker that hangs stops further publications,
// never forwarding.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "dataplane/policy/policy.h"
#include "dataplane/policy/policy_slot.h"

namespace postern {

struct RuleTotals {
  uint64_t packets = 0;
  uint64_t bytes = 0;
  Instant last_hit;  // zero: never
};

class Publisher {
 public:
  static constexpr size_t kRetiredMax = 8;

  // `slot` outlives the publisher; the policies must outlive the workers.
  explicit Publisher(PolicySlot& slot) : slot_(slot) {}

  uint32_t next_generation() const { return generation_ + 1; }
  // Takes a policy of the next generation. An error leaves the one before in force.
  Result<void> publish(std::unique_ptr<Policy> policy);
  // Frees what no worker reads any more. Call it on a timer.
  void collect();

  // nullptr before the first publication.
  const Policy* current() const { return current_.get(); }
  size_t retired() const { return retired_.size(); }
  // By rule of the current policy; the last entry is for packets that no rule matched.
  std::vector<RuleTotals> totals() const;

 private:
  struct Retired {
    std::unique_ptr<Policy> policy;
    uint32_t replaced_by = 0;  // generation
  };
  void fold(const Policy& policy);

  PolicySlot& slot_;
  uint32_t generation_ = 0;
  std::unique_ptr<Policy> current_;
  std::deque<Retired> retired_;
  std::map<std::string, RuleTotals> folded_;  // by rule name; "" is the default
};

}  // namespace postern
