// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/filter/ruleset.h"

#include <utility>

#include "base/assert.h"
#include "dataplane/filter/classifier.h"

namespace postern {
namespace {

bool is_own_traffic(const FlowQuery& query) {
  return query.in == kGateway || query.out == kGateway;
}

bool holds(Scope scope, const FlowQuery& query) {
  if (scope == Scope::all) return true;
  return (scope == Scope::own) == is_own_traffic(query);
}

// F19: a qualified rule speaks of TCP alone, whatever its services say.
bool holds(TcpQualifier qualifier, const FlowQuery& query) {
  if (qualifier == TcpQualifier::any) return true;
  if (query.protocol != protocol::tcp) return false;
  return (qualifier == TcpQualifier::established) == query.established;
}

}  // namespace

bool matches_context(const Rule& rule, const FlowQuery& query) {
  if (!holds(rule.in, query.in) || !holds(rule.out, query.out)) return false;
  if (!holds(rule.scope, query)) return false;
  if (!holds(rule.tcp, query)) return false;
  return !rule.mapped_only || query.translated;
}

// Cheapest compares first: most rules are refused by one of the first two lines.
bool matches(const Rule& rule, const FlowQuery& query) {
  if (!rule.enabled) return false;
  if (!matches_context(rule, query)) return false;
  if (!matches_any(rule.services, query)) return false;
  if (!rule.to.contains(query.destination)) return false;
  if (!rule.from.contains(query.source)) return false;
  if (!rule.to_original.contains(query.original_destination)) return false;
  return rule.users.contains(query.who);
}

Ruleset::Ruleset() = default;
Ruleset::Ruleset(Ruleset&&) noexcept = default;
Ruleset& Ruleset::operator=(Ruleset&&) noexcept = default;
Ruleset::~Ruleset() = default;

Ruleset::Ruleset(std::vector<Rule> rules, Posture posture, bool log_default)
    : rules_(std::move(rules)), posture_(posture), log_default_(log_default) {
  POSTERN_ASSERT(rules_.size() <= kRulesMax);
  for (const Rule& rule : rules_)
    asks_users_ = asks_users_ || (!rule.users.all && is_in_force(rule));
}

bool Ruleset::is_in_force(const Rule& rule) const {
  return rule.enabled && (posture_ != Posture::cut_off || rule.emergency);
}

// cold: with the policy, off the packet path.
void Ruleset::compile(size_t bytes_max) {
  std::vector<uint16_t> in_force;
  for (size_t i = 0; i < rules_.size(); ++i)
    if (is_in_force(rules_[i])) in_force.push_back(static_cast<uint16_t>(i));
  if (in_force.size() <= kListedRulesMax) return;
  classifier_ = Classifier::build(rules_, std::move(in_force), bytes_max);
  is_defeated_ = classifier_ == nullptr;
}

size_t Ruleset::compiled_bytes() const {
  return classifier_ == nullptr ? 0 : classifier_->bytes();
}

uint16_t Ruleset::find_first(const FlowQuery& query, uint16_t from) const {
  if (classifier_ != nullptr) return classifier_->find_first(rules_, query, from);
  return find_first_listed(query, from);
}

uint16_t Ruleset::find_first_listed(const FlowQuery& query, uint16_t from) const {
  for (size_t i = from; i < rules_.size(); ++i) {
    if (is_in_force(rules_[i]) && matches(rules_[i], query)) return static_cast<uint16_t>(i);
  }
  return kNoRule;
}

void Ruleset::find_first_bulk(std::span<const FlowQuery> queries, uint16_t* found) const {
  if (classifier_ != nullptr) return classifier_->find_first_bulk(rules_, queries, found);
  for (size_t i = 0; i < queries.size(); ++i)
    found[i] = find_first_listed(queries[i]);
}

const char* to_word(Action action) {
  switch (action) {
    case Action::permit:
      return "permit";
    case Action::drop:
      return "drop";
    case Action::deny:
      return "deny";
    case Action::next:
      return "continue";
  }
  return "drop";
}

}  // namespace postern
