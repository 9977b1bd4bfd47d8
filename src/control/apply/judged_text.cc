// SPDX-License-Identifier: BSD-3-Clause
#include "control/apply/judged_text.h"

#include <algorithm>
#include <utility>

#include "control/analysis/judge.h"
#include "control/check.h"

namespace postern {

Judged judge_text(std::string text) {
  auto judged = std::make_shared<JudgedText>();
  judged->text = std::move(text);
  config::Loaded loaded = config::load(judged->text);
  if (loaded.ok()) {
    for (config::Finding& finding : check_expressions(loaded.model))
      loaded.findings.push_back(std::move(finding));
  }
  judged->is_valid = loaded.ok();
  if (judged->is_valid) {
    // What does not compile is told with what is known of the ports, later.
    for (config::Finding& finding : analysis::judge(loaded.model)) {
      if (!finding.kind.empty()) loaded.findings.push_back(std::move(finding));
    }
    judged->failed_tests = analysis::failed_tests_text(loaded.findings);
  }
  judged->model = std::move(loaded.model);
  judged->findings = std::move(loaded.findings);
  return judged;
}

}  // namespace postern
