// SPDX-License-Identifier: BSD-3-Clause
#include "control/analysis/judge.h"

#include <algorithm>
#include <utility>

#include "control/analysis/analyse.h"
#include "control/analysis/policy_tests.h"
#include "control/compile/compile.h"

namespace postern::analysis {
namespace {

// RFC 2544: networks for tests, which no provider hands out.
config::Model with_stand_ins(const config::Model& model) {
  config::Model whole = model;
  bool is_routed = std::any_of(model.routes.begin(), model.routes.end(),
                               [](const config::Route& route) { return route.to.length == 0; });
  for (size_t i = 0; i < whole.interfaces.size(); ++i) {
    config::Interface& interface = whole.interfaces[i];
    if (!interface.dhcp || !interface.enabled) continue;
    const auto number = static_cast<uint8_t>(i);
    interface.addresses = {{Ipv4Address(198, 18, number, 2), 24}};
    if (is_routed) continue;
    config::Route route;
    route.via = Ipv4Address(198, 18, number, 1);
    route.interface = interface.name;
    whole.routes.push_back(std::move(route));
    is_routed = true;
  }
  return whole;
}

Result<std::unique_ptr<Policy>> compiled(const config::Model& model, uint32_t minute) {
  CompileInputs inputs;
  inputs.shards = Shards(model.system.workers.count);
  inputs.minute_of_week = minute;
  return compile(model, inputs);
}

}  // namespace

std::vector<config::Finding> judge(const config::Model& model) {
  const config::Model whole = with_stand_ins(model);
  auto policy = compiled(whole, 0);
  if (!policy) return {{config::Severity::error, {}, "", policy.error().text}};
  std::vector<config::Finding> findings = analyse(whole, **policy);
  policy->reset();
  auto failures = run_tests(whole, [&](uint32_t minute) { return compiled(whole, minute); });
  std::move(failures.begin(), failures.end(), std::back_inserter(findings));
  std::stable_sort(findings.begin(), findings.end(),
                   [](const auto& a, const auto& b) { return a.mark.line < b.mark.line; });
  return findings;
}

std::string failed_tests_text(const std::vector<config::Finding>& findings) {
  std::string text;
  size_t failed = 0;
  for (const config::Finding& finding : findings) {
    if (finding.kind != "test" || failed++ > 0) continue;
    const std::string_view name =
        std::string_view(finding.path).substr(std::string_view("tests.").size());
    text = "test '" + std::string(name) + "' (line " + std::to_string(finding.mark.line) + ") " +
           finding.text;
  }
  if (failed > 1) text += "; and " + std::to_string(failed - 1) + " more";
  return text;
}

}  // namespace postern::analysis
