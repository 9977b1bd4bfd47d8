// SPDX-License-Identifier: BSD-3-Clause
#include "control/analysis/analyse.h"

#include <algorithm>
#include <utility>

#include "control/analysis/findings.h"
#include "control/analysis/lists.h"

namespace postern::analysis {
namespace {

constexpr size_t kCausesNamedMax = 3;
constexpr size_t kPermitStepsEach = 20'000'000;  // a fifth of a second
constexpr size_t kPermitSteps = 100'000'000;     // for all questions

std::string place_of(const config::Cause& cause) {
  return cause.line == 0 ? cause.name : cause.name + " (line " + std::to_string(cause.line) + ")";
}

}  // namespace

config::Finding finding(const char* kind, const Subject& subject, std::string text,
                        std::vector<config::Cause> causes) {
  return {config::Severity::warning, subject.mark, subject.path,
          std::move(text),           kind,         std::move(causes)};
}

std::vector<config::Cause> causes_of(const std::vector<Item>& items,
                                     const std::vector<size_t>& indexes) {
  std::vector<config::Cause> causes;
  causes.reserve(indexes.size());
  for (size_t index : indexes)
    causes.push_back({items[index].name, items[index].line});
  return causes;
}

std::string named(const std::vector<config::Cause>& causes) {
  if (causes.size() == 1) return "rule " + place_of(causes.front());
  std::string text = "rules ";
  const size_t named = std::min(causes.size(), kCausesNamedMax);
  for (size_t i = 0; i < named; ++i) {
    if (i > 0) text += i + 1 == causes.size() ? " and " : ", ";
    text += place_of(causes[i]);
  }
  if (named < causes.size()) text += " and " + std::to_string(causes.size() - named) + " more";
  return text;
}

// Rules that refuse take their part away in order, until one permits what is left.
size_t find_permit(const Region& region, const Policy& policy, const std::vector<Item>& rules,
                   Budget& whole, std::vector<size_t>* refused) {
  const size_t given = std::min(kPermitStepsEach, whole.left());
  Budget budget(given);
  Cover cover(rules, budget);
  size_t permit = kRefused, permit_for_some = kRefused;
  std::vector<size_t> all = cover.meeting({region}, 0, rules.size(), true);
  auto next = [&](size_t item) {
    const Rule& rule = policy.rules.at(static_cast<uint16_t>(item));
    if (rules[item].passes_on) return Cover::Next::skipped;
    // A coarse refusal may take less than its regions; then it takes nothing.
    if (rule.action != Action::permit) {
      const bool is_exact = !rules[item].is_coarse && !rules[item].is_for_some;
      return is_exact ? Cover::Next::takes : Cover::Next::skipped;
    }
    if (rules[item].is_for_some) {
      permit_for_some = std::min(permit_for_some, item);
      return Cover::Next::skipped;
    }
    permit = item;
    return Cover::Next::differs;
  };
  std::vector<size_t> by;
  const Answer answer = cover.is_done_by({region}, {}, all, next, &by);
  whole.take(given - budget.left());
  if (answer == Answer::unknown || budget.left() == 0) return kUndecided;
  if (permit != kRefused) return permit;
  if (answer == Answer::no && policy.rules.default_action() == Action::permit) return kPasses;
  if (permit_for_some != kRefused) return permit_for_some;
  if (refused != nullptr) *refused = std::move(by);
  return kRefused;
}

std::vector<config::Finding> analyse(const config::Model& model, const Policy& policy) {
  Findings findings;
  const std::vector<Item> rules = filter_items(model, policy);
  judge_filter(model, policy, rules, findings);
  judge_sources(model, policy, findings);
  Budget budget(kPermitSteps);
  judge_port_maps(model, policy, rules, budget, findings);
  judge_resolver(model, policy, rules, budget, findings);
  if (budget.left() == 0) {
    findings.push_back(finding("analysis", {"filter", {}},
                               "the rules are too intricate to tell which port maps and services "
                               "they let in"));
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const auto& a, const auto& b) { return a.mark.line < b.mark.line; });
  if (findings.size() > kAnalysisFindingsMax) findings.resize(kAnalysisFindingsMax);
  return findings;
}

}  // namespace postern::analysis
