// SPDX-License-Identifier: BSD-3-Clause
// What the analysis claims of random rule sets, held against the list that reads the model's words.
#include <map>

#include "unit/analysis/analysed.h"
#include "unit/compile/naive_filter.h"

namespace postern {
namespace {

constexpr int kModels = 600;
constexpr int kQueriesEach = 100;

struct Claims {
  std::map<std::string, std::string> kinds;  // by rule
  config::Model without;                     // the model without what may go
};

Claims claims_about(const config::Model& model) {
  Claims claims{{}, model};
  for (const config::Finding& finding : analysed(model)) {
    bool may_go = finding.kind == "never-reached" || finding.kind == "contradiction" ||
                  finding.kind == "redundant";
    if (!may_go) continue;
    for (config::FilterRule& rule : claims.without.filter.rules) {
      if ("filter.rules." + rule.name != finding.path) continue;
      rule.enabled = false;
      claims.kinds[rule.name] = finding.kind;
    }
  }
  return claims;
}

}  // namespace

TEST_CASE("analysis/random: what is never reached never decides, what goes changes nothing",
          "[C06]") {
  Random random(20261122);
  std::map<std::string, size_t> told;
  for (int round = 0; round < kModels; ++round) {
    config::Model model = random_model(random);
    Claims claims = claims_about(model);
    for (const auto& [rule, kind] : claims.kinds)
      ++told[kind];
    for (int i = 0; i < kQueriesEach && !claims.kinds.empty(); ++i) {
      FlowQuery query = random_query(random);
      if (query.in == kGateway && query.out == kGateway) continue;
      const auto minute = static_cast<uint32_t>(random() % (7 * 1440));
      const auto posture = static_cast<config::Posture>(random() % 3);
      model.filter.posture = claims.without.filter.posture = posture;
      NaiveAnswer answer = ask_naively(model, query, minute);
      auto claim = claims.kinds.find(answer.rule);
      INFO(answer.rule);
      REQUIRE((claim == claims.kinds.end() || claim->second == "redundant"));
      REQUIRE(ask_naively(claims.without, query, minute).action == answer.action);
    }
  }
  CHECK(told["never-reached"] > 100);
  CHECK(told["contradiction"] > 100);
  CHECK(told["redundant"] > 50);
}

TEST_CASE("analysis/random: a rule that has no packet of its own is found", "[C06]") {
  // The other way round: of what the claims miss, samples show how often it decides.
  Random random(7);
  size_t silent = 0, rules = 0;
  for (int round = 0; round < 25; ++round) {
    config::Model model = random_model(random);
    model.filter.posture = config::Posture::normal;
    Claims claims = claims_about(model);
    std::map<std::string, int> decided;
    for (int i = 0; i < 8000; ++i) {
      FlowQuery query = random_query(random);
      ++decided[ask_naively(model, query, static_cast<uint32_t>(random() % (7 * 1440))).rule];
    }
    for (const config::FilterRule& rule : model.filter.rules) {
      bool is_asked = rule.enabled && rule.action != config::RuleAction::next && !rule.emergency;
      if (!is_asked) continue;
      ++rules;
      silent += decided[rule.name] == 0 && claims.kinds[rule.name].empty();
    }
  }
  INFO(silent << " of " << rules);
  CHECK(silent * 6 < rules);  // those that few packets of the test can reach
}

}  // namespace postern
