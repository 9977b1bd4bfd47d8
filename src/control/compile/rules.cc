// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <set>
#include <utility>

#include "base/limits.h"
#include "control/compile/lower.h"
#include "control/compile/subjects.h"
#include "control/config/dhcp_subnet.h"
#include "control/config/listening.h"

namespace postern::compiler {
namespace {

constexpr uint16_t kDhcpServerPort = 67;
constexpr uint16_t kDhcpClientPort = 68;

Action lowered(config::RuleAction action) {
  switch (action) {
    case config::RuleAction::permit:
      return Action::permit;
    case config::RuleAction::drop:
      return Action::drop;
    case config::RuleAction::deny:
      return Action::deny;
    case config::RuleAction::next:
      return Action::next;
  }
  return Action::drop;
}

TcpQualifier lowered(config::TcpState state) {
  switch (state) {
    case config::TcpState::any:
      return TcpQualifier::any;
    case config::TcpState::opening:
      return TcpQualifier::opening;
    case config::TcpState::established:
      return TcpQualifier::established;
  }
  return TcpQualifier::any;
}

Scope lowered(config::Scope scope) {
  switch (scope) {
    case config::Scope::all:
      return Scope::all;
    case config::Scope::forwarded:
      return Scope::forwarded;
    case config::Scope::own:
      return Scope::own;
  }
  return Scope::all;
}

Posture lowered(config::Posture posture) {
  switch (posture) {
    case config::Posture::normal:
      return Posture::normal;
    case config::Posture::cut_off:
      return Posture::cut_off;
    case config::Posture::open:
      return Posture::open;
  }
  return Posture::cut_off;
}

// NetBIOS over TCP and UDP, RPC endpoint mapper, SMB.
std::vector<ServiceSpec> windows_sharing_services() {
  std::vector<ServiceSpec> services;
  for (uint8_t proto : {protocol::tcp, protocol::udp}) {
    for (auto [first, last] : {std::pair<uint16_t, uint16_t>{135, 135}, {137, 139}, {445, 445}}) {
      ServiceSpec spec;
      spec.protocol = proto;
      spec.first_destination = first;
      spec.last_destination = last;
      services.push_back(spec);
    }
  }
  return services;
}

// F30: drops sharing over this interface both ways, before any other rule. With `trusted`, what the
// trusted hosts behind the interface send or receive falls through to the user's rules.
Result<void> add_sharing_guard(Lowering& lowering, InterfaceId id, std::vector<Rule>& rules) {
  const config::Interface& interface = lowering.model().interfaces[id];
  if (!interface.enabled || interface.windows_sharing == config::SharingGuard::off) return {};
  AddressSet refused;
  if (interface.windows_sharing == config::SharingGuard::trusted) {
    auto trusted = lowering.addresses(interface.windows_sharing_trusted);
    if (!trusted) {
      return std::move(trusted).error().within("interfaces." + interface.name + ".windows_sharing");
    }
    refused = complement_of(*trusted);
  }
  Rule in;
  in.name = "guard/windows-sharing/" + interface.name + "/in";
  in.description = "Windows sharing from " + interface.name;
  in.in = set_of(id);
  in.from = refused;
  in.services = windows_sharing_services();
  in.action = Action::drop;
  Rule out = in;
  out.name = "guard/windows-sharing/" + interface.name + "/out";
  out.description = "Windows sharing to " + interface.name;
  out.in = kAnyInterface;
  out.out = set_of(id);
  out.from = AddressSet{};
  out.to = refused;
  rules.push_back(std::move(in));
  rules.push_back(std::move(out));
  return {};
}

// F10: the one permit rule of a port map with allow_from. It speaks of the inside host and port, as
// every rule does, and of the external address, so that nothing else reaches the host by it.
Result<void> add_port_map_permit(Lowering& lowering, const config::PortMap& map,
                                 std::vector<Rule>& rules) {
  if (!map.enabled || map.allow_from.empty()) return {};
  auto mappings = expand_port_map(lowering, map);
  if (!mappings) return mappings.error();
  auto from = lowering.addresses(map.allow_from);
  if (!from) return std::move(from).error().within("nat.port_maps." + map.name + ".allow_from");
  Rule rule;
  rule.name = "port-map/" + map.name;
  rule.description = "sources that may use port map " + map.name;
  rule.line = map.mark.line;
  rule.from = std::move(from).value();
  rule.to = set_of_ranges({{map.to, map.to}});
  std::vector<AddressRange> external;
  std::set<std::tuple<uint8_t, uint16_t, uint16_t>> inside;
  for (const ConfiguredMapping& mapping : *mappings) {
    external.push_back({mapping.external, mapping.external});
    uint16_t last = mapping.internal_endpoint(mapping.last_external).port;
    inside.insert({mapping.protocol, mapping.first_internal, last});
  }
  if (inside.empty()) return {};  // no external address: nothing is mapped
  rule.to_original = set_of_ranges(std::move(external));
  for (auto [proto, first, last] : inside) {
    ServiceSpec spec;
    spec.protocol = proto;
    spec.first_destination = first;
    spec.last_destination = last;
    rule.services.push_back(spec);
  }
  rule.mapped_only = true;
  rule.action = Action::permit;
  rules.push_back(std::move(rule));
  return {};
}

// What clients and relays send to the DHCP server, where it serves. Its answers to clients without
// an address do not come this way; those to others belong to the sessions of what they answer.
void add_dhcp_permit(Lowering& lowering, std::vector<Rule>& rules) {
  const config::Model& model = lowering.model();
  if (!model.services.dhcp) return;
  Rule rule;
  rule.name = "service/dhcp";
  rule.description = "clients and relays to the DHCP server";
  rule.in = 0;
  for (const config::DhcpScope& scope : model.services.dhcp->scopes) {
    const config::Interface* interface = config::server_interface_of(scope, model);
    if (interface == nullptr) continue;
    InterfaceId id = lowering.find_interface(interface->name);
    if (id != kNoInterface) rule.in |= set_of(id);
  }
  if (rule.in == 0) return;
  rule.out = set_of(kGateway);
  ServiceSpec spec;
  spec.protocol = protocol::udp;
  spec.first_destination = spec.last_destination = kDhcpServerPort;
  rule.services = {spec};
  rule.action = Action::permit;
  rules.push_back(std::move(rule));
}

// What our own DHCP client sends to the servers of its wires, and what these answer.
void add_dhcp_client_permit(Lowering& lowering, std::vector<Rule>& rules) {
  Rule answers;
  answers.name = "service/dhcp-client/in";
  answers.description = "answers of DHCP servers";
  answers.in = 0;
  for (const config::Interface& interface : lowering.model().interfaces) {
    if (interface.dhcp && interface.enabled) {
      answers.in |= set_of(lowering.find_interface(interface.name));
    }
  }
  if (answers.in == 0) return;
  answers.out = set_of(kGateway);
  ServiceSpec spec;
  spec.protocol = protocol::udp;
  spec.first_source = spec.last_source = kDhcpServerPort;
  spec.first_destination = spec.last_destination = kDhcpClientPort;
  answers.services = {spec};
  answers.action = Action::permit;
  answers.emergency = true;  // cut off, the gateway still keeps its address
  Rule asks = answers;
  asks.name = "service/dhcp-client/out";
  asks.description = "the gateway renews its lease";
  asks.in = set_of(kGateway);
  asks.out = answers.in;
  spec.first_source = spec.last_source = kDhcpClientPort;
  spec.first_destination = spec.last_destination = kDhcpServerPort;
  asks.services = {spec};
  rules.push_back(std::move(answers));
  rules.push_back(std::move(asks));
}

// What browsers inside send to the log-in page, where it is served: who is not logged in yet must
// get there, whatever the rules ask of users.
void add_portal_permit(Lowering& lowering, std::vector<Rule>& rules) {
  const config::Model& model = lowering.model();
  if (!model.services.portal || !model.services.portal->enabled) return;
  const config::Listening listening = config::listening_of(*model.services.portal);
  Rule rule;
  rule.name = "service/portal";
  rule.description = "browsers inside to the log-in page";
  rule.in = 0;
  for (const config::Interface& interface : model.interfaces) {
    if (!config::listens_on(listening, interface)) continue;
    rule.in |= set_of(lowering.find_interface(interface.name));
  }
  if (rule.in == 0) return;
  rule.out = set_of(kGateway);
  ServiceSpec spec;
  spec.protocol = protocol::tcp;
  spec.first_destination = spec.last_destination = model.services.portal->port;
  rule.services = {spec};
  rule.action = Action::permit;
  rules.push_back(std::move(rule));
}

// Clients of the proxy, and nobody else, get to its port on the interfaces that it listens on
// (F58): whom `from` does not name is refused there whatever later rules say.
Result<void> add_http_permit(Lowering& lowering, std::vector<Rule>& rules) {
  const config::Model& model = lowering.model();
  if (!model.services.http || !model.services.http->enabled) return {};
  const config::Http& http = *model.services.http;
  Rule rule;
  rule.name = "service/http";
  rule.description = "clients inside to the HTTP proxy";
  rule.in = 0;
  std::vector<AddressRange> networks;
  for (const config::Interface& interface : model.interfaces) {
    if (!config::listens_on(config::listening_of(http), interface)) continue;
    rule.in |= set_of(lowering.find_interface(interface.name));
    for (const Prefix& network : interface.addresses)
      networks.push_back({network.network(), network.last()});
  }
  if (rule.in == 0 || (http.from.empty() && networks.empty())) return {};
  if (http.from.empty()) {
    rule.from = set_of_ranges(std::move(networks));
  } else {
    auto from = lowering.addresses(http.from);
    if (!from) return std::move(from).error().within("services.http.from");
    rule.from = std::move(from).value();
  }
  rule.out = set_of(kGateway);
  ServiceSpec spec;
  spec.protocol = protocol::tcp;
  spec.first_destination = spec.last_destination = http.port;
  rule.services = {spec};
  rule.action = Action::permit;
  Rule others = rule;
  others.name = "service/http/others";
  others.description = "the HTTP proxy is not for them";
  others.from = AddressSet{};
  others.action = Action::drop;
  rules.push_back(std::move(rule));
  rules.push_back(std::move(others));
  return {};
}

// Hosts inside get to the mail service. What comes from outside takes a rule of the filter, which
// may keep some away.
void add_mail_permit(Lowering& lowering, std::vector<Rule>& rules) {
  const config::Model& model = lowering.model();
  if (!model.services.mail || !model.services.mail->enabled) return;
  const config::Mail& mail = *model.services.mail;
  Rule rule;
  rule.name = "service/mail";
  rule.description = "hosts inside to the mail service";
  rule.in = 0;
  for (const config::Interface& interface : model.interfaces) {
    if (config::listens_on(config::listening_of(mail), interface))
      rule.in |= set_of(lowering.find_interface(interface.name));
  }
  auto add = [&rule](uint16_t port) {
    ServiceSpec spec;
    spec.protocol = protocol::tcp;
    spec.first_destination = spec.last_destination = port;
    if (port != 0) rule.services.push_back(spec);
  };
  add(mail.port);
  if (mail.submission) {
    add(mail.submission->port);
    add(mail.submission->tls_port);
  }
  if (mail.pop3) {
    add(mail.pop3->port);
    add(mail.pop3->tls_port);
  }
  if (rule.in == 0 || rule.services.empty()) return;
  rule.out = set_of(kGateway);
  rule.action = Action::permit;
  rules.push_back(std::move(rule));
}

Result<Rule> lowered(Lowering& lowering, const config::FilterRule& source) {
  Rule rule;
  rule.name = source.name;
  rule.description = source.description;
  rule.line = source.mark.line;
  rule.in = lowering.interfaces(source.in);
  rule.out = lowering.interfaces(source.out);
  rule.tcp = lowered(source.tcp);
  rule.scope = lowered(source.scope);
  rule.action = lowered(source.action);
  rule.log = source.log || source.alert;
  rule.alert = source.alert;
  rule.is_listed = source.log;
  rule.emergency = source.emergency;

  struct Field {
    const char* name;
    const std::vector<std::string>& items;
    AddressSet& set;
  };
  for (const Field& field : {Field{"from", source.from, rule.from}, Field{"to", source.to, rule.to},
                             Field{"to_original", source.to_original, rule.to_original}}) {
    auto set = lowering.addresses(field.items);
    if (!set) return std::move(set).error().within(field.name);
    field.set = std::move(set).value();
  }
  auto services = lowering.services(source.service);
  if (!services) return std::move(services).error().within("service");
  rule.services = std::move(services).value();
  rule.users = user_set_of(source.users);
  rule.user_names = source.users;
  auto holds = lowering.holds_now(source.when);
  if (!holds) return std::move(holds).error().within("when");
  rule.enabled = source.enabled && *holds;
  return rule;
}

Result<void> check(const std::vector<Rule>& rules) {
  if (rules.size() > kRulesMax) {
    return Error{ErrorCode::exhausted,
                 "filter.rules: more than " + std::to_string(kRulesMax) + " rules in all"};
  }
  std::set<std::string_view> names;
  for (const Rule& rule : rules) {
    if (!names.insert(rule.name).second) {
      return Error{ErrorCode::invalid, "filter.rules: two rules are called '" + rule.name + "'"};
    }
  }
  return {};
}

}  // namespace

Result<void> compile_rules(Lowering& lowering, Policy& policy) {
  const config::Model& model = lowering.model();
  std::vector<Rule> rules;
  for (size_t i = 0; i < model.interfaces.size(); ++i) {
    auto added = add_sharing_guard(lowering, static_cast<InterfaceId>(i), rules);
    if (!added) return added;
  }
  for (const config::PortMap& map : model.nat.port_maps) {
    if (auto added = add_port_map_permit(lowering, map, rules); !added) return added;
  }
  add_portal_permit(lowering, rules);
  if (auto added = add_http_permit(lowering, rules); !added) return added;
  add_mail_permit(lowering, rules);
  add_dhcp_permit(lowering, rules);
  add_dhcp_client_permit(lowering, rules);
  for (const config::FilterRule& source : model.filter.rules) {
    auto rule = lowered(lowering, source);
    if (!rule) return std::move(rule).error().within("filter.rules." + source.name);
    rules.push_back(std::move(rule).value());
  }
  if (auto checked = check(rules); !checked) return checked;
  policy.rules = Ruleset(std::move(rules), lowered(model.filter.posture), model.filter.log_default);
  policy.rules.compile();
  return {};
}

}  // namespace postern::compiler
