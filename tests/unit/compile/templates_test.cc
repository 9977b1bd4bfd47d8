// SPDX-License-Identifier: BSD-3-Clause
// The ready-made rule sets say of themselves what passes and what does not; here it is held against
// the compiled rules.
#include "control/config/templates.h"

#include "unit/compile/compiled.h"

namespace postern {
namespace {

InterfaceId id_of(const Policy& policy, const std::string& name) {
  if (name == "gateway") return kGateway;
  for (size_t i = 0; i < policy.interfaces.size(); ++i) {
    if (policy.interfaces[i].name == name) return static_cast<InterfaceId>(i);
  }
  return kNoInterface;
}

FlowQuery query_of(const Policy& policy, const config::TemplateTest& test) {
  FlowQuery query;
  query.in = id_of(policy, test.in);
  query.out = id_of(policy, test.out);
  query.source = test.from;
  query.destination = query.original_destination = test.to;
  query.source_port = test.from_port;
  query.destination_port = test.to_port;
  query.protocol = test.protocol.protocol;
  query.icmp_type = static_cast<uint8_t>(std::max(test.protocol.icmp_type, 0));
  query.icmp_code = static_cast<uint8_t>(std::max(test.protocol.icmp_code, 0));
  if (query.protocol == protocol::tcp) query.tcp_flags = tcp_flag::syn;
  return query;
}

config::RuleAction verdict_of(const Ruleset& rules, uint16_t index) {
  Action action = index == kNoRule ? rules.default_action() : rules.at(index).action;
  switch (action) {
    case Action::permit:
      return config::RuleAction::permit;
    case Action::deny:
      return config::RuleAction::deny;
    case Action::drop:
    case Action::next:
      break;
  }
  return config::RuleAction::drop;
}

uint16_t ask(const Ruleset& rules, const FlowQuery& query) {
  uint16_t index = rules.find_first(query);
  while (index != kNoRule && rules.at(index).action == Action::next) {
    index = rules.find_first(query, static_cast<uint16_t>(index + 1));
  }
  return index;
}

}  // namespace

TEST_CASE("compile/templates: each template passes and blocks what its tests say", "[F24]") {
  REQUIRE(config::builtin_templates().size() >= 10);
  for (const config::Template& item : config::builtin_templates()) {
    INFO(item.name);
    auto policy = compiled(config::template_sample(item));
    CHECK_FALSE(item.tests.empty());
    for (const config::TemplateTest& test : item.tests) {
      INFO("test on line " << test.mark.line);
      FlowQuery query = query_of(*policy, test);
      REQUIRE(query.in != kNoInterface);
      REQUIRE(query.out != kNoInterface);
      uint16_t index = ask(policy->rules, query);
      CHECK(verdict_of(policy->rules, index) == test.verdict);
      std::string rule = index == kNoRule ? "" : policy->rules.at(index).name;
      CHECK(rule == (test.rule.empty() ? "" : item.name + "/" + test.rule));
    }
  }
}

TEST_CASE("compile/templates: each rule of a template is decided upon by one of its tests",
          "[F24]") {
  for (const config::Template& item : config::builtin_templates()) {
    INFO(item.name);
    auto policy = compiled(config::template_sample(item));
    for (uint16_t i = 0; i < policy->rules.size(); ++i) {
      if (policy->rules.at(i).action == Action::next) continue;
      INFO(policy->rules.at(i).name);
      bool is_tested = false;
      for (const config::TemplateTest& test : item.tests) {
        is_tested = is_tested || ask(policy->rules, query_of(*policy, test)) == i;
      }
      CHECK(is_tested);
    }
  }
}

}  // namespace postern
