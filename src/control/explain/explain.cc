// SPDX-License-Identifier: BSD-3-Clause
#include "control/explain/explain.h"

#include <utility>

#include "control/compile/policy_text.h"
#include "control/compile/subjects.h"
#include "control/explain/made_up_frame.h"

namespace postern {
namespace {

// The user of the made-up packet, logged in at its source.
Identities identities_of(const MadeUpPacket& packet) {
  Identities::Entry entry{packet.source.address, user_number(packet.user), {}};
  entry.groups.reserve(packet.groups.size());
  for (const std::string& group : packet.groups)
    entry.groups.push_back(group_number(group));
  return {1, {std::move(entry)}, {}, 0, 0};
}

// Retells one decision: the stages are read off what decide() found, never decided here.
class Story {
 public:
  Story(const Policy& policy, const MadeUpPacket& packet)
      : policy_(policy), packet_(packet), frame_(packet, policy) {
    told_.generation = policy.generation;
    told_.packet = packet;
    told_.in = name_of(packet.in);
    told_.source = packet.source;
    told_.destination = packet.destination;
    if (!packet.user.empty()) identities_ = identities_of(packet);
  }

  Explanation tell();

 private:
  std::string name_of(InterfaceId id) const { return interface_text(id, policy_); }
  void add(const char* stage, const char* result, std::string text = "") {
    told_.stages.push_back({stage, result, std::move(text), "", 0});
  }
  void add(const char* stage, const char* result, std::string text, const std::string& item,
           uint32_t line) {
    told_.stages.push_back({stage, result, std::move(text), item, line});
  }
  void end(Outcome outcome, DropReason reason) {
    told_.outcome = outcome;
    told_.reason = reason;
  }
  // The stages up to where the decision refuses; false: it did.
  bool tell_packet();
  bool tell_source(const Decision& decision);
  bool tell_destination(const Decision& decision);
  bool tell_route(const Decision& decision);
  bool tell_rules(const Decision& decision);
  bool tell_session(const Decision& decision);
  void tell_source_nat(const Decision& decision);
  Explanation tell_interception(const Decision& decision);
  void tell_hairpin(const Decision& decision);
  std::string why_spoofed() const;

  const Policy& policy_;
  const MadeUpPacket packet_;
  const MadeUpFrame frame_;
  Identities identities_;
  Explanation told_;
};

std::string route_text(const Route& route) {
  return route.connected ? "connected network " + to_text(route.to) : "route " + to_text(route.to);
}

bool Story::tell_packet() {
  if (frame_.reason() != DropReason::none) {
    add("packet", "refused", help_of(frame_.reason()));
    end(Outcome::drop, frame_.reason());
    return false;
  }
  if (frame_.packet().is_icmp_error) {
    add("packet", "refused",
        "an ICMP error goes with the session of the packet that it quotes; explain that one");
    end(Outcome::drop, DropReason::icmp_error_unrelated);
    return false;
  }
  add("packet", "ok");
  if (!packet_.user.empty()) {
    std::string groups;
    for (const std::string& group : packet_.groups)
      groups += (groups.empty() ? "member of " : ", ") + group;
    add("user", packet_.user.c_str(), groups);
  }
  return true;
}

std::string Story::why_spoofed() const {
  Ipv4Address source = packet_.source.address;
  std::string text = to_text(source);
  if (policy_.is_own_address(source)) return text + " is an address of the gateway itself";
  if (policy_.nat.find_external_address(source) != nullptr) {
    return text + " stands for hosts behind the gateway";
  }
  if (policy_.is_local_broadcast(source)) return text + " is a broadcast address";
  const Route* route = policy_.routes.find(source);
  if (route == nullptr) return text + " belongs nowhere: no route leads to it";
  return text + " belongs behind " + name_of(route->interface) + " (" + route_text(*route) + ")";
}

bool Story::tell_source(const Decision& decision) {
  if (decision.reason == DropReason::spoofed_source) {
    add("spoof", "refused", why_spoofed());
    return false;
  }
  std::string source = to_text(packet_.source.address);
  const Route* route = policy_.routes.find(packet_.source.address);
  if (packet_.in == kGateway) {
    add("spoof", "none", "the gateway's own packets are not checked");
  } else if (route != nullptr && route->interface == packet_.in) {
    add("spoof", "ok", source + " belongs behind " + told_.in + " (" + route_text(*route) + ")");
  } else if (policy_.interfaces[packet_.in].spoof_allow.contains(packet_.source.address)) {
    add("spoof", "ok", source + " is accepted by spoof_allow of " + told_.in);
  } else {
    add("spoof", "ok", "a host without address asks for one");
  }
  return true;
}

bool Story::tell_destination(const Decision& decision) {
  if (decision.reason == DropReason::broadcast_not_forwarded ||
      decision.reason == DropReason::destination_address_bad) {
    add("route", "refused", help_of(decision.reason));
    return false;
  }
  const ConfiguredMapping* mapping = decision.destination;
  if (mapping != nullptr) {
    add("destination-nat", mapping->one_to_one ? "one-to-one" : "port-map", to_text(*mapping),
        mapping->name, mapping->line);
    told_.destination = {decision.query.destination, decision.query.destination_port};
  } else if (policy_.nat.find_external_address(packet_.destination.address) != nullptr) {
    add("destination-nat", "none",
        "nothing is configured for " + endpoint_text(packet_.protocol, packet_.destination) +
            "; dynamic mappings are left out here");
  } else {
    add("destination-nat", "none");
  }
  return true;
}

bool Story::tell_route(const Decision& decision) {
  if (decision.reason == DropReason::no_route) {
    add("route", "refused", "no route to " + to_text(decision.query.destination));
    return false;
  }
  told_.out = name_of(decision.out);
  if (decision.out == kGateway) {
    add("route", "gateway", "for the gateway itself");
    return true;
  }
  const Route* route = policy_.routes.find(decision.query.destination);
  std::string by = route == nullptr || route->interface != decision.out ? "" : route_text(*route);
  told_.next_hop = decision.next_hop;
  bool has_via =
      decision.next_hop != decision.query.destination && !decision.next_hop.is_unspecified();
  if (has_via) by += " via " + to_text(decision.next_hop);
  add("route", told_.out.c_str(), by);
  return true;
}

// Every rule that matches up to the deciding one, those not in force among them.
bool Story::tell_rules(const Decision& decision) {
  const Ruleset& rules = policy_.rules;
  size_t end_of_walk = decision.rule == kNoRule ? rules.size() : size_t{decision.rule} + 1;
  bool is_cut_off = rules.posture() == Posture::cut_off;
  for (size_t i = 0; i < end_of_walk; ++i) {
    const Rule& rule = rules.at(static_cast<uint16_t>(i));
    bool in_force = rule.enabled && (!is_cut_off || rule.emergency);
    Rule as_if_enabled;
    if (!rule.enabled) {
      as_if_enabled = rule;
      as_if_enabled.enabled = true;
    }
    if (!matches(rule.enabled ? rule : as_if_enabled, decision.query)) continue;
    std::string text = to_text(rule, policy_);
    if (!rule.description.empty()) text = rule.description + ": " + text;
    add("rule", in_force ? to_word(rule.action) : "not-in-force", text, rule.name, rule.line);
  }
  if (decision.rule != kNoRule) {
    told_.rule = rules.at(decision.rule).name;
  } else {
    add("rule", to_word(rules.default_action()),
        std::string("no rule decides; posture ") + to_word(rules.posture()));
  }
  bool is_refused = decision.reason == DropReason::filter_drop ||
                    decision.reason == DropReason::filter_deny ||
                    decision.reason == DropReason::filter_default ||
                    decision.reason == DropReason::posture_cut_off;
  return !is_refused;
}

bool Story::tell_session(const Decision& decision) {
  if (decision.outcome == Outcome::drop) {  // permitted, but nobody is there
    add("session", "refused", help_of(decision.reason));
    return false;
  }
  if (decision.outcome != Outcome::host_broadcast && !may_open(frame_.first())) {
    add("session", "refused", help_of(DropReason::no_session));
    end(Outcome::drop, DropReason::no_session);
    return false;
  }
  return true;
}

void Story::tell_source_nat(const Decision& decision) {
  switch (decision.source_nat) {
    case SourceNatKind::none:
      if (decision.source_rule == nullptr) {
        add("source-nat", "none");
      } else {
        add("source-nat", "none", to_text(*decision.source_rule, policy_),
            decision.source_rule->name, decision.source_rule->line);
      }
      return;
    case SourceNatKind::one_to_one:
      add("source-nat", "one-to-one", to_text(*decision.source_one_to_one),
          decision.source_one_to_one->name, decision.source_one_to_one->line);
      told_.source.address = decision.external_address;
      return;
    case SourceNatKind::dynamic:
      break;
  }
  told_.source = {decision.external_address, 0};
  if (decision.source_rule == nullptr) {
    add("source-nat", "own", "the gateway's own packets share the ports of its address");
    return;
  }
  add("source-nat", to_word(decision.source_rule->action), to_text(*decision.source_rule, policy_),
      decision.source_rule->name, decision.source_rule->line);
}

// F56: it goes no further, though the rules permit it.
Explanation Story::tell_interception(const Decision& decision) {
  if (decision.outcome == Outcome::deny) {
    add("http-proxy", "refused", help_of(decision.reason));
    return std::move(told_);
  }
  add("http-proxy", "ok", "the HTTP proxy answers in its place (services.http.transparent)");
  told_.out = name_of(kGateway);
  told_.next_hop = Ipv4Address();
  return std::move(told_);
}

// The packet comes round with a translated source, as if from outside.
void Story::tell_hairpin(const Decision& decision) {
  FirstPacket round = frame_.first();
  round.key.source = decision.external_address.wire();
  uint16_t port = round.key.destination_port.value();
  const ConfiguredMapping* mapping =
      policy_.nat.find_destination(packet_.protocol, packet_.destination.address, port);
  if (mapping == nullptr) {
    add("hairpin", "refused", "goes to whoever holds this external port by a dynamic mapping");
    return end(Outcome::drop, DropReason::no_mapping);
  }
  Decision inner = decide_hairpin_inner(policy_, round);
  if (inner.outcome == Outcome::drop) {
    add("hairpin", "refused", help_of(inner.reason));
    return end(Outcome::drop, inner.reason);
  }
  told_.out = name_of(inner.out);
  told_.next_hop = inner.next_hop;
  told_.destination = {inner.query.destination, inner.query.destination_port};
  add("hairpin", "ok", "comes back as if from outside, and goes to the mapped host", mapping->name,
      mapping->line);
  end(inner.outcome, DropReason::none);
}

Explanation Story::tell() {
  if (!tell_packet()) return std::move(told_);
  FirstPacket first = frame_.first();
  first.identities = &identities_;
  Decision decision = decide(policy_, first, nullptr);
  bool is_for_host = decision.outcome == Outcome::host_broadcast;
  end(is_for_host ? Outcome::host : decision.outcome, decision.reason);
  bool goes_on = tell_source(decision) && tell_destination(decision) && tell_route(decision) &&
                 tell_rules(decision) && tell_session(decision);
  if (!goes_on) return std::move(told_);
  if (decision.intercepted) return tell_interception(decision);
  bool leaves = decision.outcome == Outcome::forward || decision.outcome == Outcome::hairpin;
  if (leaves) tell_source_nat(decision);
  if (decision.outcome == Outcome::hairpin) tell_hairpin(decision);
  return std::move(told_);
}

}  // namespace

Explanation explain(const Policy& policy, const MadeUpPacket& packet) {
  return Story(policy, packet).tell();
}

}  // namespace postern
