// SPDX-License-Identifier: BSD-3-Clause
// The parts of analyse(), and the words that they share. Control thread; pure.
#pragma once

#include <string>
#include <vector>

#include "control/analysis/analyse.h"
#include "control/analysis/cover.h"

namespace postern::analysis {

using Findings = std::vector<config::Finding>;

struct Subject {
  std::string path;  // "filter.rules.cleanup"
  config::Mark mark;
};
config::Finding finding(const char* kind, const Subject& subject, std::string text,
                        std::vector<config::Cause> causes = {});
std::vector<config::Cause> causes_of(const std::vector<Item>& items,
                                     const std::vector<size_t>& indexes);
// "rule admin (line 3)", "rules a (line 3) and b (line 9) together", "rules a, b, c and 4 more".
std::string named(const std::vector<config::Cause>& causes);

void judge_filter(const config::Model& model, const Policy& policy, const std::vector<Item>& rules,
                  Findings& findings);
void judge_sources(const config::Model& model, const Policy& policy, Findings& findings);
void judge_port_maps(const config::Model& model, const Policy& policy,
                     const std::vector<Item>& rules, Budget& budget, Findings& findings);
void judge_resolver(const config::Model& model, const Policy& policy,
                    const std::vector<Item>& rules, Budget& budget, Findings& findings);

// The first rule with action permit that any packet of `region` meets before another rule decides
// about all of it. Position kPasses: the default permits it; kRefused: nothing does, and `refused`
// has the rules that decide; kUndecided: the budget, or a part of it, is used up. A permit for some
// comes after all.
constexpr size_t kPasses = SIZE_MAX, kRefused = SIZE_MAX - 1, kUndecided = SIZE_MAX - 2;
size_t find_permit(const Region& region, const Policy& policy, const std::vector<Item>& rules,
                   Budget& whole, std::vector<size_t>* refused);

}  // namespace postern::analysis
