// SPDX-License-Identifier: BSD-3-Clause
// The ordered rules once more, read straight from the model's words for every single query: slow,
// with no set, range list or index in common with the compiler, so that the two can be held against
// each other. Beside it, random models that use every kind of match.
#pragma once

#include <random>
#include <string>

#include "control/config/model.h"
#include "dataplane/packet/match.h"

namespace postern {

using Random = std::mt19937;

struct NaiveAnswer {
  std::string rule;  // "guard" for any windows sharing guard; empty: none matched
  config::RuleAction action = config::RuleAction::drop;
};

// What the list says about `query` at this minute of the week: the first match that is no
// `continue`.
NaiveAnswer ask_naively(const config::Model& model, const FlowQuery& query,
                        uint32_t minute_of_week);

// Interfaces wan, lan, dmz and a disabled one; objects; up to 30 rules.
config::Model random_model(Random& random);
// Interfaces, addresses and ports near those that random_model() uses.
FlowQuery random_query(Random& random);

}  // namespace postern
