// SPDX-License-Identifier: BSD-3-Clause
// compile(): a valid configuration -> the Policy that workers read. Pure: the same model and inputs
// give the same policy, which prints itself (policy_text.h) for golden tests.
//
//   Model --lower--> interfaces -> routes -> nat -> rules -> interception --> Policy
//
// Names become numbers here: interfaces and zones turn into bits, objects into sorted ranges, times
// into "in force now" (schedule.h says when that changes). Order of the rules: guards, permits of
// port maps and of the gateway's services, then the user's own as listed. Thread: control. Time:
// near linear in the resolved ranges of all rules.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "control/config/model.h"
#include "dataplane/policy/policy.h"

namespace postern {

// What a started port knows of itself.
struct PortInput {
  MacAddress mac;
  uint16_t mtu = 0;  // the largest it can carry; 0: no limit known
};

struct CompileInputs {
  uint32_t generation = 1;
  Shards shards;                 // of the running workers
  std::vector<PortInput> ports;  // by position in model.interfaces; empty for `postern check`
  uint32_t minute_of_week = 0;   // local; minute 0 is Monday 00:00
  bool is_on_trial = false;      // see Policy
  bool http_is_served = true;    // false: the proxy cannot listen for what is intercepted
};

// Ids of interfaces are their positions in the model. An Error means a model that validation should
// have refused, or a rule beyond kMatchItemsMax; it names the item.
Result<std::unique_ptr<Policy>> compile(const config::Model& model, const CompileInputs& inputs);

}  // namespace postern
