// SPDX-License-Identifier: BSD-3-Clause
// Verdict: what becomes of a packet. A drop without a reason cannot be written.
#pragma once

#include <cstdint>

#include "dataplane/packet/drop_reason.h"
#include "dataplane/packet/match.h"
#include "dataplane/packet/packet.h"

namespace postern {

enum class Fate : uint8_t {
  forward,   // transmit by packet.egress, frame complete
  host,      // give to the kernel by the host path of packet.egress
  hold,      // the pipeline keeps the buffer and lets it go later
  hand_off,  // to the worker that owns the flow
  drop,      // the buffer is free again
};

struct Verdict {
  Fate fate = Fate::drop;
  DropReason reason = DropReason::none;  // with drop
  uint16_t rule = kNoRule;  // with drop by the filter: the rule that decided; kNoRule: the default
  WorkerId worker = 0;      // with hand_off

  bool is_drop() const { return fate == Fate::drop; }
};

constexpr Verdict forward() {
  return {Fate::forward, DropReason::none, kNoRule, 0};
}
constexpr Verdict to_host() {
  return {Fate::host, DropReason::none, kNoRule, 0};
}
constexpr Verdict hold() {
  return {Fate::hold, DropReason::none, kNoRule, 0};
}
constexpr Verdict hand_off(WorkerId worker) {
  return {Fate::hand_off, DropReason::none, kNoRule, worker};
}
constexpr Verdict drop(DropReason reason, uint16_t rule = kNoRule) {
  return {Fate::drop, reason, rule, 0};
}

}  // namespace postern
