// SPDX-License-Identifier: BSD-3-Clause
#include "control/compile/policy_text.h"

#include <cstdio>

namespace postern {
namespace {

// Appends "key value" unless the value is the default, which stays unsaid.
void add_unless(std::string& line, const char* key, const std::string& value,
                const std::string& unsaid) {
  if (value == unsaid) return;
  line += std::string(" ") + key + " " + value;
}

std::string ports_text(uint16_t first, uint16_t last) {
  std::string text = std::to_string(first);
  return first == last ? text : text + "-" + std::to_string(last);
}

std::string origin(uint32_t line) {
  return line == 0 ? " (added)" : " (line " + std::to_string(line) + ")";
}

std::string seconds_text(Duration duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%gs", static_cast<double>(duration.ns) / 1e9);
  return text;
}

void add_interfaces(std::string& out, const Policy& policy) {
  out += "interfaces\n";
  for (size_t id = 0; id < policy.interfaces.size(); ++id) {
    const PolicyInterface& interface = policy.interfaces[id];
    out += "  " + std::to_string(id) + " " + interface.name + " " + to_word(interface.zone);
    if (!interface.exists) {
      out += " disabled\n";
      continue;
    }
    out += " " + to_text(interface.mac) + " mtu " + std::to_string(interface.mtu) + " mss " +
           (interface.mss_max == 0 ? "off" : std::to_string(interface.mss_max));
    for (const Prefix& own : interface.addresses)
      out += " " + to_text(own);
    if (interface.asks_dhcp) out += " asks-dhcp";
    add_unless(out, "spoof-allow", to_text(interface.spoof_allow), "none");
    out += "\n";
  }
}

void add_routes(std::string& out, const Policy& policy) {
  out += "routes\n";
  for (const Route& route : policy.routes.routes()) {
    out += "  " + to_text(route.to) + " ";
    if (!route.via.is_unspecified()) out += "via " + to_text(route.via) + " ";
    out += route.interface == kGateway ? "gateway" : policy.interfaces[route.interface].name;
    out += route.connected ? " connected\n" : "\n";
  }
}

void add_timeouts(std::string& out, const Timeouts& timeouts) {
  struct Row {
    const char* name;
    TimeoutClass which;
  };
  out += "timeouts";
  for (const Row& row : {Row{"udp", TimeoutClass::udp},
                         {"tcp-transitory", TimeoutClass::tcp_transitory},
                         {"tcp-established", TimeoutClass::tcp_established},
                         {"icmp-query", TimeoutClass::icmp_query},
                         {"other", TimeoutClass::other}}) {
    out += std::string(" ") + row.name + " " +
           seconds_text(timeouts.of[static_cast<unsigned>(row.which)]);
  }
  out += "\n";
}

void add_flow_export(std::string& out, const FlowExport& flows) {
  if (flows == FlowExport()) return;
  out += std::string("exports") + (flows.sessions ? " sessions" : "") +
         (flows.mappings ? " mappings" : "") + "\n";
}

void add_nat(std::string& out, const Policy& policy) {
  const NatPolicy& nat = policy.nat;
  out += "nat ports " + ports_text(nat.first_port, nat.last_port);
  if (!nat.reserved_ports.empty()) out += " reserved";
  for (uint16_t port : nat.reserved_ports)
    out += " " + std::to_string(port);
  out += nat.hairpin ? " hairpin on\n" : " hairpin off\n";
  for (const SourceRule& rule : nat.source_rules) {
    out += "  source " + rule.name + origin(rule.line) + ": " + to_text(rule, policy) + "\n";
  }
  for (const ConfiguredMapping& mapping : nat.mappings) {
    out += std::string("  ") + (mapping.one_to_one ? "one-to-one " : "port-map ") + mapping.name +
           origin(mapping.line) + ": on " + policy.interfaces[mapping.on].name + " " +
           to_text(mapping) + (mapping.to_gateway ? " to-gateway" : "") +
           (mapping.keep_source ? " keep-source" : "") + (mapping.log ? " log" : "") + "\n";
  }
  for (const NatPolicy::ExternalAddress& external : nat.external_addresses) {
    out += "  external " + to_text(external.address) + " on " +
           policy.interfaces[external.on].name + (external.dynamic ? " dynamic" : "") +
           (external.answers_arp ? " answers-arp" : "") + "\n";
  }
  for (size_t id = 0; id < nat.masquerade_address.size(); ++id) {
    if (nat.masquerade_address[id].is_unspecified()) continue;
    out += "  masquerade " + policy.interfaces[id].name + " as " +
           to_text(nat.masquerade_address[id]) + "\n";
  }
}

void add_rules(std::string& out, const Policy& policy) {
  out += std::string("rules posture ") + to_word(policy.rules.posture()) + " default " +
         to_word(policy.rules.default_action()) + (policy.rules.log_default() ? " log\n" : "\n");
  for (size_t i = 0; i < policy.rules.size(); ++i) {
    const Rule& rule = policy.rules.at(static_cast<uint16_t>(i));
    out += "  " + std::to_string(i) + " " + rule.name + origin(rule.line) + ": " +
           to_text(rule, policy) + "\n";
  }
}

void add_interception(std::string& out, const Policy& policy) {
  const Interception& interception = policy.interception;
  if (interception.in == 0) return;
  out += "interception in " + to_text(interception.in, policy) + " out " +
         to_text(interception.out, policy) + " from " + to_text(interception.from);
  add_unless(out, "except", to_text(interception.except), "none");
  out += " ports";
  for (uint16_t port : interception.ports)
    out += " " + std::to_string(port);
  out += interception.is_served ? "\n" : " (not served)\n";
}

const char* to_word(TcpQualifier qualifier) {
  switch (qualifier) {
    case TcpQualifier::any:
      return "any";
    case TcpQualifier::opening:
      return "opening";
    case TcpQualifier::established:
      return "established";
  }
  return "any";
}

const char* to_word(Scope scope) {
  switch (scope) {
    case Scope::all:
      return "all";
    case Scope::forwarded:
      return "forwarded";
    case Scope::own:
      return "own";
  }
  return "all";
}

}  // namespace

std::string to_text(const Policy& policy) {
  std::string out = "policy generation " + std::to_string(policy.generation) + " workers " +
                    std::to_string(policy.shards.workers()) + "\n";
  add_interfaces(out, policy);
  add_routes(out, policy);
  add_timeouts(out, policy.timeouts);
  add_flow_export(out, policy.flow_export);
  add_nat(out, policy);
  add_rules(out, policy);
  add_interception(out, policy);
  return out;
}

std::string interface_text(InterfaceId id, const Policy& policy) {
  if (id == kGateway) return "gateway";
  return id < policy.interfaces.size() ? policy.interfaces[id].name : "-";
}

std::string to_text(InterfaceSet set, const Policy& policy) {
  if (set == kAnyInterface) return "any";
  std::string out;
  for (size_t id = 0; id < policy.interfaces.size(); ++id) {
    if (set & set_of(static_cast<InterfaceId>(id))) out += " " + policy.interfaces[id].name;
  }
  if (set & set_of(kGateway)) out += " gateway";
  return out.empty() ? "none" : out.substr(1);
}

std::string to_text(const AddressSet& set) {
  if (set.any) return "any";
  std::string out;
  for (const AddressRange& range : set.ranges)
    out += " " + to_text(range);
  return out.empty() ? "none" : out.substr(1);
}

std::string protocol_text(uint8_t protocol) {
  switch (protocol) {
    case protocol::icmp:
      return "icmp";
    case protocol::igmp:
      return "igmp";
    case protocol::tcp:
      return "tcp";
    case protocol::udp:
      return "udp";
    case protocol::gre:
      return "gre";
    case protocol::esp:
      return "esp";
    case protocol::ah:
      return "ah";
    case protocol::ospf:
      return "ospf";
    case protocol::sctp:
      return "sctp";
    default:
      return "ip/" + std::to_string(protocol);
  }
}

std::string to_text(const ServiceSpec& service) {
  if (service.any_protocol) return "any";
  std::string out = protocol_text(service.protocol);
  if (has_ports(service.protocol)) {
    if (service.first_destination != 0 || service.last_destination != 65535) {
      out += "/" + ports_text(service.first_destination, service.last_destination);
    }
    if (service.first_source != 0 || service.last_source != 65535) {
      out += " from " + ports_text(service.first_source, service.last_source);
    }
  }
  if (service.icmp_type >= 0) out += "/" + std::to_string(service.icmp_type);
  if (service.icmp_code >= 0) out += "/" + std::to_string(service.icmp_code);
  return out;
}

std::string to_text(const std::vector<ServiceSpec>& services) {
  std::string out;
  for (const ServiceSpec& service : services)
    out += (out.empty() ? "" : ", ") + to_text(service);
  return out.empty() ? "any" : out;
}

std::string to_text(const Rule& rule, const Policy& policy) {
  std::string line;
  add_unless(line, "in", to_text(rule.in, policy), "any");
  add_unless(line, "out", to_text(rule.out, policy), "any");
  add_unless(line, "from", to_text(rule.from), "any");
  add_unless(line, "to", to_text(rule.to), "any");
  add_unless(line, "to-original", to_text(rule.to_original), "any");
  add_unless(line, "service", to_text(rule.services), "any");
  std::string users;
  for (const std::string& name : rule.user_names)
    users += (users.empty() ? "" : ", ") + name;
  add_unless(line, "users", users, "");
  add_unless(line, "tcp", to_word(rule.tcp), "any");
  add_unless(line, "scope", to_word(rule.scope), "all");
  line += std::string(" ") + to_word(rule.action);
  if (rule.log && rule.is_listed) line += " log";
  if (rule.alert) line += " alert";
  if (rule.mapped_only) line += " mapped-only";
  if (rule.emergency) line += " emergency";
  if (!rule.enabled) line += " (not in force)";
  return line.substr(1);
}

std::string to_text(const SourceRule& rule, const Policy& policy) {
  std::string line;
  add_unless(line, "in", to_text(rule.in, policy), "any");
  add_unless(line, "out", to_text(rule.out, policy), "any");
  add_unless(line, "from", to_text(rule.from), "any");
  add_unless(line, "to", to_text(rule.to), "any");
  add_unless(line, "service", to_text(rule.services), "any");
  line += std::string(" ") + to_word(rule.action);
  for (Ipv4Address address : rule.pool)
    line += " " + to_text(address);
  if (rule.action != SourceAction::none) {
    line +=
        std::string(" mapping ") + to_word(rule.mapping) + " filtering " + to_word(rule.filtering);
  }
  if (rule.log) line += " log";
  return line.substr(1);
}

std::string to_text(const ConfiguredMapping& mapping) {
  if (mapping.one_to_one) {
    return to_text(mapping.external) + " <-> " + to_text(mapping.internal);
  }
  return protocol_text(mapping.protocol) + " " + to_text(mapping.external) + ":" +
         ports_text(mapping.first_external, mapping.last_external) + " -> " +
         to_text(mapping.internal) + ":" +
         ports_text(mapping.first_internal, mapping.internal_endpoint(mapping.last_external).port);
}

const char* to_word(Zone zone) {
  switch (zone) {
    case Zone::external:
      return "external";
    case Zone::internal:
      return "internal";
    case Zone::dmz:
      return "dmz";
  }
  return "external";
}

const char* to_word(Posture posture) {
  switch (posture) {
    case Posture::normal:
      return "normal";
    case Posture::cut_off:
      return "cut_off";
    case Posture::open:
      return "open";
  }
  return "normal";
}

const char* to_word(SourceAction action) {
  switch (action) {
    case SourceAction::none:
      return "none";
    case SourceAction::masquerade:
      return "masquerade";
    case SourceAction::pool:
      return "pool";
  }
  return "none";
}

const char* to_word(MappingBehavior behavior) {
  switch (behavior) {
    case MappingBehavior::endpoint_independent:
      return "endpoint_independent";
    case MappingBehavior::address_dependent:
      return "address_dependent";
    case MappingBehavior::address_and_port_dependent:
      return "address_and_port_dependent";
  }
  return "endpoint_independent";
}

const char* to_word(FilteringBehavior behavior) {
  switch (behavior) {
    case FilteringBehavior::endpoint_independent:
      return "endpoint_independent";
    case FilteringBehavior::address_dependent:
      return "address_dependent";
    case FilteringBehavior::address_and_port_dependent:
      return "address_and_port_dependent";
  }
  return "address_and_port_dependent";
}

}  // namespace postern
