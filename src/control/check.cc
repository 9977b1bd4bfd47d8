// SPDX-License-Identifier: BSD-3-Clause
#include "control/check.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "control/analysis/judge.h"
#include "control/config/yaml.h"
#include "control/log/debug_log.h"
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
  for (config::Finding& finding : check_expressions(checked.model))
    checked.findings.push_back(std::move(finding));
  if (!checked.ok()) return checked;
  auto judged = analysis::judge(checked.model);
  std::move(judged.begin(), judged.end(), std::back_inserter(checked.findings));
  std::stable_sort(checked.findings.begin(), checked.findings.end(),
                   [](const auto& a, const auto& b) { return a.mark.line < b.mark.line; });
  return checked;
}

std::vector<config::Finding> check_expressions(const config::Model& model) {
  std::vector<config::Finding> findings;
  const auto& classes = model.logging.debug.packets;
  auto refuse = [&](const config::Mark& mark, const std::string& index, const std::string& text) {
    findings.push_back({config::Severity::error, mark, "logging.debug.packets" + index, text});
  };
  for (size_t i = 0; i < classes.size(); ++i) {
    auto sound = check_debug_classes({classes[i]}, model);
    if (!sound) refuse(classes[i].mark, "[" + std::to_string(i) + "]", sound.error().text);
  }
  if (!findings.empty() || classes.empty()) return findings;
  // All of one interface are one capture.
  if (auto sound = check_debug_classes(classes, model); !sound) {
    refuse(classes.front().mark, "", "together: " + sound.error().text);
  }
  if (debug_captures(classes).size() > kDebugCapturesMax) {
    refuse(classes.front().mark, "",
           "more than " + std::to_string(kDebugCapturesMax) + " different sets of interfaces");
  }
  return findings;
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
