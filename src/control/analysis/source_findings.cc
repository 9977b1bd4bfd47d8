// SPDX-License-Identifier: BSD-3-Clause
// Source translation in its order: never reached, or of no effect.
#include "control/analysis/findings.h"
#include "control/analysis/lists.h"
#include "control/analysis/order.h"

namespace postern::analysis {
namespace {

std::string text_of(const std::vector<config::Cause>& causes, bool is_same) {
  const bool is_one = causes.size() == 1;
  std::string text =
      "never reached: " + named(causes) +
      (is_one ? " comes first and takes all of it; " : " come first and take all of it together; ");
  if (is_same) return text + "remove this one";
  return text + "move this one above " + (is_one ? "that one" : "those") + ", or remove it";
}

}  // namespace

void judge_sources(const config::Model& model, const Policy& policy, Findings& findings) {
  const std::vector<Item> items = source_items(policy);
  const size_t first = items.size() - policy.nat.source_rules.size();
  const std::vector<Place> places =
      places_in(items, nullptr, std::vector<bool>(items.size(), true));
  size_t entry = 0;  // in the file, where disabled ones stand as well
  for (size_t i = first; i < items.size() && findings.size() < kAnalysisFindingsMax; ++i, ++entry) {
    while (!model.nat.source[entry].enabled)
      ++entry;
    const Subject subject{"nat.source." + items[i].name, model.nat.source[entry].mark};
    auto causes = causes_of(items, places[i].causes);
    if (places[i].standing == Standing::hidden) {
      bool is_same = true;
      for (size_t cause : places[i].causes)
        is_same = is_same && items[cause].effect == items[i].effect;
      std::string text = text_of(causes, is_same);
      findings.push_back(finding(is_same ? "never-reached" : "contradiction", subject,
                                 std::move(text), std::move(causes)));
    } else if (places[i].standing == Standing::redundant) {
      std::string text = "does nothing: without it " + named(causes) +
                         " would translate the same; remove this one";
      findings.push_back(finding("redundant", subject, std::move(text), std::move(causes)));
    }
  }
}

}  // namespace postern::analysis
