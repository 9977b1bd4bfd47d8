// SPDX-License-Identifier: BSD-3-Clause
#include "control/check.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "control/analysis/judge.h"
#include "control/config/yaml.h"
#include "control/text_file.h"

namespace postern {

static_assert(kTextFileMax == config::kFileBytesMax);  // what can be read can be loaded

namespace {

bool is_error(const config::Finding& finding) {
  return finding.severity == config::Severity::error;
}

}  // namespace

bool Checked::ok() const {
  return std::none_of(findings.begin(), findings.end(), is_error);
}

bool Checked::is_only_tests() const {
  return !ok() && std::all_of(findings.begin(), findings.end(), [](const config::Finding& finding) {
    return !is_error(finding) || finding.kind == "test";
  });
}

Checked check_text(std::string_view text) {
  config::Loaded loaded = config::load(text);
  Checked checked{std::move(loaded.model), std::move(loaded.findings)};
  if (!checked.ok()) return checked;
  auto judged = analysis::judge(checked.model);
  std::move(judged.begin(), judged.end(), std::back_inserter(checked.findings));
  std::stable_sort(checked.findings.begin(), checked.findings.end(),
                   [](const auto& a, const auto& b) { return a.mark.line < b.mark.line; });
  return checked;
}

nlohmann::ordered_json findings_json(const std::vector<config::Finding>& findings) {
  auto list = nlohmann::ordered_json::array();
  for (const config::Finding& finding : findings) {
    list.push_back({{"severity", is_error(finding) ? "error" : "warning"},
                    {"line", finding.mark.line},
                    {"column", finding.mark.column},
                    {"path", finding.path},
                    {"text", finding.text}});
    if (finding.kind.empty()) continue;
    list.back()["kind"] = finding.kind;
    auto causes = nlohmann::ordered_json::array();
    for (const config::Cause& cause : finding.causes)
      causes.push_back({{"name", cause.name}, {"line", cause.line}});
    list.back()["causes"] = std::move(causes);
  }
  return list;
}

std::string error_count_text(const std::vector<config::Finding>& findings) {
  auto errors = std::count_if(findings.begin(), findings.end(), is_error);
  if (errors == 0) return "no error";
  return errors == 1 ? "1 error" : std::to_string(errors) + " errors";
}

}  // namespace postern
