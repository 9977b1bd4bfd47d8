// SPDX-License-Identifier: BSD-3-Clause
#include <set>

#include "control/compile/policy_text.h"
#include "unit/compile/compiled.h"
#include "unit/compile/naive_filter.h"

namespace postern {
namespace {

// The deciding rule by the compiled list, in the words of the naive one.
NaiveAnswer ask_compiled(const Ruleset& rules, const FlowQuery& query) {
  constexpr config::RuleAction kActions[] = {config::RuleAction::permit, config::RuleAction::drop,
                                             config::RuleAction::deny, config::RuleAction::next};
  uint16_t index = rules.find_first(query);
  while (index != kNoRule && rules.at(index).action == Action::next) {
    index = rules.find_first(query, static_cast<uint16_t>(index + 1));
  }
  if (index == kNoRule) return {"", kActions[static_cast<int>(rules.default_action())]};
  const Rule& rule = rules.at(index);
  std::string name = rule.name.starts_with("guard/") ? "guard" : rule.name;
  return {name, kActions[static_cast<int>(rule.action)]};
}

std::string query_text(const FlowQuery& query, uint32_t minute) {
  return "in " + std::to_string(query.in) + " out " + std::to_string(query.out) + " " +
         to_text(query.source) + ":" + std::to_string(query.source_port) + " -> " +
         to_text(query.destination) + ":" + std::to_string(query.destination_port) + " (" +
         to_text(query.original_destination) + ") protocol " + std::to_string(query.protocol) +
         " minute " + std::to_string(minute);
}

}  // namespace

TEST_CASE("compile/random: the compiled list answers as the model's words do", "[F21][F16][F17]") {
  Random random(20260301);
  size_t decided = 0;
  std::set<std::string> used;
  for (int round = 0; round < 200; ++round) {
    config::Model model = random_model(random);
    CompileInputs inputs;
    inputs.minute_of_week = static_cast<uint32_t>(random() % (7 * 1440));
    auto policy = compiled(model, inputs);
    for (int i = 0; i < 100; ++i) {
      FlowQuery query = random_query(random);
      NaiveAnswer naive = ask_naively(model, query, inputs.minute_of_week);
      NaiveAnswer answer = ask_compiled(policy->rules, query);
      if (naive.rule != answer.rule || naive.action != answer.action) {
        INFO(query_text(query, inputs.minute_of_week) << "\n" << to_text(*policy));
        REQUIRE(naive.rule == answer.rule);
        REQUIRE(naive.action == answer.action);
      }
      if (!naive.rule.empty()) ++decided;
      used.insert(naive.rule);
    }
  }
  // The rule sets are neither empty nor decided by their first lines alone.
  CHECK(decided > 5000);
  CHECK(used.size() > 20);
}

}  // namespace postern
