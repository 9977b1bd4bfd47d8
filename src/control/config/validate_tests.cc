// SPDX-License-Identifier: BSD-3-Clause
// tests: interfaces and rules exist, packets are whole. Whether they pass is for control/analysis.
#include <algorithm>
#include <set>

#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17;
// The policy is compiled for each of them.
constexpr size_t kMinutesMax = 24;

void require_end(Check& check, const std::string& name, const std::string& path) {
  if (!name.empty() && name != "gateway") check.require_interface(name, path);
}

bool has_rule(const Model& model, const std::string& name) {
  // The compiler's own: guard/..., port-map/..., service/...
  for (std::string_view own : {"guard/", "port-map/", "service/"}) {
    if (std::string_view(name).starts_with(own)) return true;
  }
  return std::any_of(model.filter.rules.begin(), model.filter.rules.end(),
                     [&](const FilterRule& rule) { return rule.name == name; });
}

void validate_packet(Check& check, const PolicyTest& test, const std::string& path) {
  const bool has_ports = test.protocol.protocol == kTcp || test.protocol.protocol == kUdp;
  if (has_ports && test.to_port == 0) {
    check.report.error_at(path + ".to", "needs a port: " + to_text(test.to) + ":443");
  }
  if (!has_ports && (test.to_port != 0 || test.from_port != 0)) {
    check.report.error_at(path + (test.to_port != 0 ? ".to" : ".from"),
                          "the protocol has no ports");
  }
  if (!test.tcp_flags.empty() && test.protocol.protocol != kTcp) {
    check.report.error_at(path + ".tcp_flags", "goes with protocol tcp");
  }
  if (!test.groups.empty() && test.user.empty()) {
    check.report.error_at(path + ".groups", "goes with user");
  }
}

void validate_expectations(Check& check, const PolicyTest& test, const std::string& path) {
  require_end(check, test.out, path + ".out");
  if (!test.rule.empty() && !has_rule(check.model, test.rule)) {
    std::vector<std::string_view> known;
    known.reserve(check.model.filter.rules.size());
    for (const FilterRule& rule : check.model.filter.rules)
      known.push_back(rule.name);
    check.report.error_at(path + ".rule",
                          "unknown rule " + quote(test.rule) + hint(test.rule, known));
  }
  if (test.verdict == RuleAction::permit) return;
  for (const auto& [key, value] : {std::pair(".out", &test.out),
                                   {".sent_from", &test.sent_from},
                                   {".sent_to", &test.sent_to}}) {
    if (!value->empty()) check.report.error_at(path + key, "goes with verdict permit");
  }
}

}  // namespace

void validate_tests(Check& check) {
  const std::vector<PolicyTest>& tests = check.model.tests;
  std::set<uint32_t> minutes;
  for (size_t i = 0; i < tests.size(); ++i) {
    const std::string path = join("tests", i);
    require_end(check, tests[i].in, path + ".in");
    if (check.parsed.sound) validate_packet(check, tests[i], path);
    if (check.parsed.sound) validate_expectations(check, tests[i], path);
    if (minutes.insert(tests[i].minute).second && minutes.size() == kMinutesMax + 1) {
      check.report.error_at(path + ".at", "all tests together may name " +
                                              std::to_string(kMinutesMax) + " different times");
    }
  }
}

}  // namespace postern::config
