// SPDX-License-Identifier: BSD-3-Clause
// Ruleset: the ordered list, first match wins (F21). Evaluating it rule by rule is the reference
// for every faster form. Immutable; pure; thread: any.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/filter/rule.h"

namespace postern {

enum class Posture : uint8_t { normal, cut_off, open };  // F22

bool matches(const Rule& rule, const FlowQuery& query);

class Ruleset {
 public:
  Ruleset() = default;
  Ruleset(std::vector<Rule> rules, Posture posture, bool log_default);

  // Index of the first rule at or after `from` that matches, or kNoRule. A caller that meets
  // Action::next counts it, logs it and asks again from the index after it. In posture cut_off only
  // emergency rules match.
  uint16_t find_first(const FlowQuery& query, uint16_t from = 0) const;

  const Rule& at(uint16_t index) const { return rules_[index]; }
  size_t size() const { return rules_.size(); }
  Posture posture() const { return posture_; }
  bool log_default() const { return log_default_; }
  // What happens to a packet that no rule decides: permit in posture open, else drop.
  Action default_action() const {
    return posture_ == Posture::open ? Action::permit : Action::drop;
  }

 private:
  std::vector<Rule> rules_;
  Posture posture_ = Posture::normal;
  bool log_default_ = true;
};

}  // namespace postern
