// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/filter/ruleset.h"

#include <utility>

#include "base/assert.h"
#include "base/limits.h"

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

// Cheapest compares first: most rules are refused by one of the first two lines.
bool matches(const Rule& rule, const FlowQuery& query) {
  if (!rule.enabled) return false;
  if (!holds(rule.in, query.in) || !holds(rule.out, query.out)) return false;
  if (!holds(rule.scope, query)) return false;
  if (!holds(rule.tcp, query)) return false;
  if (rule.mapped_only && !query.translated) return false;
  if (!matches_any(rule.services, query)) return false;
  if (!rule.to.contains(query.destination)) return false;
  if (!rule.from.contains(query.source)) return false;
  return rule.to_original.contains(query.original_destination);
}

Ruleset::Ruleset(std::vector<Rule> rules, Posture posture, bool log_default)
    : rules_(std::move(rules)), posture_(posture), log_default_(log_default) {
  POSTERN_ASSERT(rules_.size() <= kRulesMax);
}

uint16_t Ruleset::find_first(const FlowQuery& query, uint16_t from) const {
  for (size_t i = from; i < rules_.size(); ++i) {
    if (posture_ == Posture::cut_off && !rules_[i].emergency) continue;
    if (matches(rules_[i], query)) return static_cast<uint16_t>(i);
  }
  return kNoRule;
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
