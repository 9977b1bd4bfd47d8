// SPDX-License-Identifier: BSD-3-Clause
#include "control/publisher.h"

#include <algorithm>
#include <set>

#include "base/assert.h"

namespace postern {
namespace {

// The name under which the counters at `index` are kept.
std::string name_at(const Policy& policy, size_t index) {
  return index < policy.rules.size() ? policy.rules.at(static_cast<uint16_t>(index)).name : "";
}

RuleTotals sum_at(const Policy& policy, size_t index) {
  RuleTotals sum;
  for (const auto& worker : policy.rule_counters) {
    sum.packets += worker[index].packets.read();
    sum.bytes += worker[index].bytes.read();
    sum.last_hit.ns =
        std::max(sum.last_hit.ns, static_cast<int64_t>(worker[index].last_hit_ns.read()));
  }
  return sum;
}

void add(RuleTotals& to, const RuleTotals& more) {
  to.packets += more.packets;
  to.bytes += more.bytes;
  to.last_hit = std::max(to.last_hit, more.last_hit);
}

}  // namespace

Result<void> Publisher::publish(std::unique_ptr<Policy> policy) {
  POSTERN_ASSERT(policy->generation == next_generation());
  collect();
  if (retired_.size() >= kRetiredMax) {
    return Error{ErrorCode::exhausted,
                 "a worker does not take over new policies; see the error log"};
  }
  ++generation_;
  slot_.publish(policy.get());
  if (current_) retired_.push_back({std::move(current_), generation_});
  current_ = std::move(policy);
  return {};
}

void Publisher::collect() {
  while (!retired_.empty() && slot_.is_past(retired_.front().replaced_by)) {
    fold(*retired_.front().policy);
    retired_.pop_front();
  }
}

std::vector<RuleTotals> Publisher::totals() const {
  POSTERN_ASSERT(current_ != nullptr);
  std::map<std::string, RuleTotals> by_name = folded_;
  for (const Retired& retired : retired_) {
    for (size_t i = 0; i <= retired.policy->rules.size(); ++i) {
      add(by_name[name_at(*retired.policy, i)], sum_at(*retired.policy, i));
    }
  }
  std::vector<RuleTotals> totals;
  for (size_t i = 0; i <= current_->rules.size(); ++i) {
    totals.push_back(by_name[name_at(*current_, i)]);
    add(totals.back(), sum_at(*current_, i));
  }
  return totals;
}

// Adds the counters of a policy that nobody writes any more, and forgets names that are gone.
void Publisher::fold(const Policy& policy) {
  for (size_t i = 0; i <= policy.rules.size(); ++i) {
    add(folded_[name_at(policy, i)], sum_at(policy, i));
  }
  std::set<std::string> alive;
  for (size_t i = 0; i <= current_->rules.size(); ++i)
    alive.insert(name_at(*current_, i));
  std::erase_if(folded_, [&](const auto& entry) { return !alive.contains(entry.first); });
}

}  // namespace postern
