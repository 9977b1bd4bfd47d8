// SPDX-License-Identifier: BSD-3-Clause
// Ruleset: the ordered list, first match wins (F21). Evaluating it rule by rule is the reference;
// compile() adds the form that answers the same at once (classifier.h). Immutable from then on;
// pure; thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/limits.h"
#include "dataplane/filter/rule.h"

namespace postern {

class Classifier;

enum class Posture : uint8_t { normal, cut_off, open };  // F22

bool matches(const Rule& rule, const FlowQuery& query);
// The part of it that is about how the packet came: interfaces, scope, TCP state, mapping.
bool matches_context(const Rule& rule, const FlowQuery& query);

class Ruleset {
 public:
  Ruleset();
  Ruleset(std::vector<Rule> rules, Posture posture, bool log_default);
  Ruleset(Ruleset&&) noexcept;
  Ruleset& operator=(Ruleset&&) noexcept;
  ~Ruleset();

  // Builds the compiled form, unless the list is so short that it is as fast. Thread: control;
  // takes milliseconds, at most about a second. Where the rules would need more than `bytes_max` or
  // too long, the list goes on answering, and is_defeated() says so.
  void compile(size_t bytes_max = kClassifierBytesMax);
  bool is_compiled() const { return classifier_ != nullptr; }
  bool is_defeated() const { return is_defeated_; }
  size_t compiled_bytes() const;

  // Index of the first rule at or after `from` that matches, or kNoRule. A caller that meets
  // Action::next counts it, logs it and asks again from the index after it. In posture cut_off only
  // emergency rules match.
  uint16_t find_first(const FlowQuery& query, uint16_t from = 0) const;
  // The same by the list alone.
  uint16_t find_first_listed(const FlowQuery& query, uint16_t from = 0) const;
  // find_first() of each query, into as many places at `found`. Cheaper than one by one where the
  // tables are cold: the queries wait for memory together.
  void find_first_bulk(std::span<const FlowQuery> queries, uint16_t* found) const;

  const Rule& at(uint16_t index) const { return rules_[index]; }
  size_t size() const { return rules_.size(); }
  Posture posture() const { return posture_; }
  bool log_default() const { return log_default_; }
  // Whether a rule in force is for certain users, so that queries have to say who it is (F27).
  bool asks_users() const { return asks_users_; }
  // What happens to a packet that no rule decides: permit in posture open, else drop.
  Action default_action() const {
    return posture_ == Posture::open ? Action::permit : Action::drop;
  }

 private:
  bool is_in_force(const Rule& rule) const;

  std::vector<Rule> rules_;
  std::unique_ptr<const Classifier> classifier_;
  bool is_defeated_ = false;
  Posture posture_ = Posture::normal;
  bool log_default_ = true;
  bool asks_users_ = false;
};

}  // namespace postern
