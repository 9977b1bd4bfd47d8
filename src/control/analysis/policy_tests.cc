// SPDX-License-Identifier: BSD-3-Clause
#include "control/analysis/policy_tests.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "control/config/user_items.h"
#include "control/explain/explain.h"
#include "dataplane/wire/headers.h"

namespace postern::analysis {
namespace {

constexpr uint16_t kSourcePort = 50000;
constexpr uint16_t kIdentifier = 1;

Result<MadeUpPacket> packet_of(const config::PolicyTest& test, const config::Users& users,
                               const Policy& policy) {
  MadeUpPacket packet;
  packet.user = test.user;
  packet.groups = test.groups.empty() ? config::groups_of(users, test.user) : test.groups;
  packet.in = kNoInterface;
  if (test.in == "gateway") packet.in = kGateway;
  for (size_t id = 0; id < policy.interfaces.size(); ++id) {
    const PolicyInterface& interface = policy.interfaces[id];
    if (interface.exists && interface.name == test.in) packet.in = static_cast<InterfaceId>(id);
  }
  if (packet.in == kNoInterface) {
    return Error{ErrorCode::invalid, "interface " + test.in + " is disabled"};
  }
  packet.protocol = test.protocol.protocol;
  packet.source = {test.from, test.from_port};
  packet.destination = {test.to, test.to_port};
  if (has_ports(packet.protocol) && test.from_port == 0) packet.source.port = kSourcePort;
  if (packet.protocol == protocol::icmp) {
    packet.source.port = kIdentifier;
    const int type = test.protocol.icmp_type;
    packet.icmp_type = type < 0 ? icmp_type::echo_request : static_cast<uint8_t>(type);
    packet.icmp_code = static_cast<uint8_t>(std::max(test.protocol.icmp_code, 0));
  }
  if (packet.protocol != protocol::tcp) return packet;
  auto flags = parse_tcp_flags(test.tcp_flags);
  if (!flags) return flags.error();
  packet.tcp_flags = *flags;
  return packet;
}

const char* word_of(config::RuleAction action) {
  switch (action) {
    case config::RuleAction::permit:
      return "permit";
    case config::RuleAction::deny:
      return "deny";
    case config::RuleAction::drop:
    case config::RuleAction::next:
      break;
  }
  return "drop";
}

config::RuleAction verdict_of(const Explanation& told) {
  switch (told.outcome) {
    case Outcome::deny:
      return config::RuleAction::deny;
    case Outcome::forward:
    case Outcome::host:
    case Outcome::host_broadcast:
      return config::RuleAction::permit;
    case Outcome::drop:
    case Outcome::hairpin:
      break;
  }
  return config::RuleAction::drop;
}

// The deciding rule as its stage tells it; nullptr: none was asked, or none matched.
const Stage* deciding(const Explanation& told) {
  for (const Stage& stage : told.stages) {
    if (stage.name == "rule" && !told.rule.empty() && stage.item == told.rule) return &stage;
  }
  return nullptr;
}

std::string rule_text(const Stage& stage) {
  return "rule " + stage.item +
         (stage.line == 0 ? "" : " (line " + std::to_string(stage.line) + ")");
}

// "drop by rule cleanup (line 40)", "drop: no route to 10.1.2.3", "permit by rule web (line 9)".
std::string seen_text(const Explanation& told) {
  std::string text = word_of(verdict_of(told));
  const Stage* rule = deciding(told);
  const bool is_by_filter = told.reason == DropReason::none ||
                            told.reason == DropReason::filter_drop ||
                            told.reason == DropReason::filter_deny;
  if (rule != nullptr && is_by_filter) return text + " by " + rule_text(*rule);
  if (told.reason == DropReason::none) return text + ", no rule decides";
  const Stage& last = told.stages.back();
  return text + " (" + std::string(to_word(told.reason)) +
         (last.text.empty() ? ")" : "): " + last.text);
}

// Address and port as they stand in a test; a port of 0 was not chosen yet and fits any.
bool fits(const std::string& wanted, Endpoint seen) {
  const std::string address = to_text(seen.address);
  const size_t colon = wanted.find(':');
  if (wanted.substr(0, colon) != address) return false;
  return colon == std::string::npos || seen.port == 0 ||
         wanted.substr(colon + 1) == std::to_string(seen.port);
}

// What differs, or nothing.
std::string difference(const config::PolicyTest& test, const Explanation& told) {
  if (verdict_of(told) != test.verdict) {
    return std::string("expected ") + word_of(test.verdict) + ", seen " + seen_text(told);
  }
  if (!test.rule.empty() && told.rule != test.rule) {
    return "expected rule " + test.rule + ", seen " + seen_text(told);
  }
  if (!test.out.empty() && told.out != test.out) {
    return "expected out " + test.out + ", seen " + told.out + "; " + seen_text(told);
  }
  const uint8_t proto = told.packet.protocol;
  if (!test.sent_from.empty() && !fits(test.sent_from, told.source)) {
    return "expected sent_from " + test.sent_from + ", seen " + endpoint_text(proto, told.source);
  }
  if (!test.sent_to.empty() && !fits(test.sent_to, told.destination)) {
    return "expected sent_to " + test.sent_to + ", seen " + endpoint_text(proto, told.destination);
  }
  return "";
}

std::string judged(const config::PolicyTest& test, const config::Users& users,
                   const Policy& policy) {
  auto packet = packet_of(test, users, policy);
  if (!packet) return packet.error().text;
  return difference(test, explain(policy, *packet));
}

}  // namespace

std::vector<config::Finding> run_tests(const config::Model& model, const CompileAt& compile_at) {
  std::vector<config::Finding> failures;
  std::map<uint32_t, std::vector<const config::PolicyTest*>> by_minute;
  for (const config::PolicyTest& test : model.tests)
    by_minute[test.minute].push_back(&test);
  for (const auto& [minute, group] : by_minute) {
    auto policy = compile_at(minute);
    for (const config::PolicyTest* test : group) {
      std::string text = policy ? judged(*test, model.users, **policy) : policy.error().text;
      if (text.empty()) continue;
      failures.push_back({config::Severity::error, test->mark, "tests." + test->name,
                          "fails: " + std::move(text), "test"});
    }
  }
  return failures;
}

}  // namespace postern::analysis
