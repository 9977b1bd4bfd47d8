// SPDX-License-Identifier: BSD-3-Clause
#include "unit/compile/naive_filter.h"

#include <cstdio>
#include <cstring>

namespace postern {
namespace {

using Words = std::vector<std::string>;

struct Week {
  const char* text;
  bool days[7];  // from Monday
  uint32_t first, last;
};
constexpr Week kWeeks[] = {
    {"mon-fri 08:00-18:00", {true, true, true, true, true, false, false}, 480, 1080},
    {"sat,sun", {false, false, false, false, false, true, true}, 0, 1440},
    {"daily 12:00-13:00", {true, true, true, true, true, true, true}, 720, 780},
};

const Words* find_object(const std::vector<config::Object>& objects, const std::string& name) {
  for (const config::Object& object : objects) {
    if (object.name == name) return &object.items;
  }
  return nullptr;
}

bool is_own(const config::Model& model, Ipv4Address address) {
  for (const config::Interface& interface : model.interfaces) {
    for (const Prefix& own : interface.addresses) {
      if (interface.enabled && own.address == address) return true;
    }
  }
  return false;
}

bool holds_address(const config::Model& model, const Words& items, Ipv4Address address) {
  if (items.empty()) return true;
  for (const std::string& item : items) {
    if (item == "any") return true;
    if (item == "gateway") {
      if (is_own(model, address)) return true;
    } else if (const Words* nested = find_object(model.objects.addresses, item)) {
      if (!nested->empty() && holds_address(model, *nested, address)) return true;
    } else if (auto range = parse_address_range(item)) {
      if (range->first <= address && address <= range->last) return true;
    }
  }
  return false;
}

bool is_within(const char* ports, unsigned port) {
  unsigned first = 0, last = 0;
  if (std::sscanf(ports, ">%u", &first) == 1) return port > first;
  if (std::sscanf(ports, "<%u", &last) == 1) return port < last;
  if (std::sscanf(ports, "%u-%u", &first, &last) == 2) return first <= port && port <= last;
  return std::sscanf(ports, "%u", &first) == 1 && port == first;
}

bool is_service(const std::string& item, const FlowQuery& query) {
  if (item == "any") return true;
  char head[16] = "", ports[16] = "", sources[16] = "";
  int fields = std::sscanf(item.c_str(), "%15[^/ ]/%15s from %15s", head, ports, sources);
  bool tcp = query.protocol == 6, udp = query.protocol == 17;
  if (std::strcmp(head, "tcp") == 0 ? tcp : std::strcmp(head, "udp") == 0 ? udp : false) {
  } else if (std::strcmp(head, "tcp+udp") == 0 && (tcp || udp)) {
  } else if (std::strcmp(head, "icmp") == 0) {
    unsigned type = 0, code = 0;
    int given = std::sscanf(ports, "%u/%u", &type, &code);
    if (query.protocol != 1) return false;
    return (given < 1 || query.icmp_type == type) && (given < 2 || query.icmp_code == code);
  } else if (std::strcmp(head, "ip") == 0) {
    return query.protocol == std::atoi(ports);
  } else if (std::strcmp(head, "gre") == 0) {
    return query.protocol == 47;
  } else {
    return false;
  }
  return (fields < 2 || is_within(ports, query.destination_port)) &&
         (fields < 3 || is_within(sources, query.source_port));
}

bool holds_service(const config::Model& model, const Words& items, const FlowQuery& query) {
  if (items.empty()) return true;
  for (const std::string& item : items) {
    if (const Words* nested = find_object(model.objects.services, item)) {
      if (holds_service(model, *nested, query)) return true;
    } else if (is_service(item, query)) {
      return true;
    }
  }
  return false;
}

bool holds_interface(const config::Model& model, const Words& names, InterfaceId id) {
  if (names.empty()) return true;
  for (const std::string& name : names) {
    if (name == "any" || (name == "gateway" && id == kGateway)) return true;
    if (id >= model.interfaces.size() || !model.interfaces[id].enabled) continue;
    const config::Interface& interface = model.interfaces[id];
    const char* zone = interface.zone == config::Zone::external   ? "external"
                       : interface.zone == config::Zone::internal ? "internal"
                                                                  : "dmz";
    if (name == interface.name || name == zone) return true;
  }
  return false;
}

bool holds_time(const config::Model& model, const Words& times, uint32_t minute) {
  if (times.empty()) return true;
  for (const std::string& time : times) {
    const Words* nested = find_object(model.objects.times, time);
    if (nested != nullptr && holds_time(model, *nested, minute)) return true;
    for (const Week& week : kWeeks) {
      uint32_t clock = minute % 1440;
      if (time == week.text && week.days[minute / 1440] && week.first <= clock &&
          clock < week.last) {
        return true;
      }
    }
  }
  return false;
}

bool holds_tcp(config::TcpState state, const FlowQuery& query) {
  switch (state) {
    case config::TcpState::any:
      return true;
    case config::TcpState::opening:
      return query.protocol == 6 && !query.established;
    case config::TcpState::established:
      return query.protocol == 6 && query.established;
  }
  return false;
}

bool holds_scope(config::Scope scope, const FlowQuery& query) {
  bool own = query.in == kGateway || query.out == kGateway;
  return scope == config::Scope::all || own == (scope == config::Scope::own);
}

bool holds(const config::Model& model, const config::FilterRule& rule, const FlowQuery& query,
           uint32_t minute) {
  return rule.enabled && holds_time(model, rule.when, minute) &&
         holds_interface(model, rule.in, query.in) && holds_interface(model, rule.out, query.out) &&
         holds_address(model, rule.from, query.source) &&
         holds_address(model, rule.to, query.destination) &&
         holds_address(model, rule.to_original, query.original_destination) &&
         holds_service(model, rule.service, query) && holds_tcp(rule.tcp, query) &&
         holds_scope(rule.scope, query);
}

// F30, for one interface and the host behind it.
bool is_guarded(const config::Model& model, InterfaceId id, Ipv4Address host) {
  if (id >= model.interfaces.size() || !model.interfaces[id].enabled) return false;
  const config::Interface& interface = model.interfaces[id];
  if (interface.windows_sharing == config::SharingGuard::off) return false;
  if (interface.windows_sharing == config::SharingGuard::block) return true;
  return !holds_address(model, interface.windows_sharing_trusted, host);
}

// F10: the permit of a port map of one port, for what came by it.
bool is_mapped(const config::Model& model, const config::PortMap& map, const FlowQuery& query) {
  if (!map.enabled || map.allow_from.empty() || !query.translated) return false;
  bool listens = map.listen ? query.original_destination == *map.listen : false;
  for (const config::Interface& interface : model.interfaces) {
    if (map.listen || interface.name != map.on) continue;
    for (const Prefix& own : interface.addresses) {
      listens = listens || query.original_destination == own.address;
    }
  }
  unsigned outside_port = 0;
  std::sscanf(map.service.front().c_str(), "%*[^/]/%u", &outside_port);
  FlowQuery outside = query;
  outside.destination_port = static_cast<uint16_t>(outside_port);
  return listens && query.destination == map.to &&
         query.destination_port == map.to_port.value_or(outside.destination_port) &&
         holds_service(model, map.service, outside) &&
         holds_address(model, map.allow_from, query.source);
}

bool is_sharing(const FlowQuery& query) {
  unsigned port = query.destination_port;
  bool one_of_them = port == 135 || port == 137 || port == 138 || port == 139 || port == 445;
  return one_of_them && (query.protocol == 6 || query.protocol == 17);
}

// --- random models

unsigned below(Random& random, unsigned bound) {
  return static_cast<unsigned>(random() % bound);
}
bool one_in(Random& random, unsigned n) {
  return below(random, n) == 0;
}

template <size_t n>
std::string any_of(Random& random, const char* const (&words)[n]) {
  return words[below(random, n)];
}

// None most of the time, else up to three.
template <size_t n>
Words some_of(Random& random, const char* const (&words)[n]) {
  Words chosen;
  if (one_in(random, 2)) return chosen;
  for (unsigned left = 1 + below(random, 3); left > 0; --left) {
    chosen.push_back(any_of(random, words));
  }
  return chosen;
}

constexpr const char* kPlaces[] = {"wan",      "lan",      "dmz", "off",
                                   "external", "internal", "dmz", "gateway"};
constexpr const char* kAddresses[] = {"192.168.1.4",
                                      "192.168.1.2-192.168.1.9",
                                      "192.168.1.8/29",
                                      "10.9.0.0/28",
                                      "198.51.100.0/24",
                                      "203.0.113.1",
                                      "0.0.0.0/1",
                                      "128.0.0.0/1",
                                      "any",
                                      "gateway",
                                      "198.51.100.3-255.255.255.255",
                                      "few",
                                      "nested",
                                      "hosts"};
constexpr const char* kServices[] = {"tcp",
                                     "udp",
                                     "tcp/80",
                                     "tcp/80-90",
                                     "tcp/>1023",
                                     "udp/<54",
                                     "tcp+udp/53",
                                     "icmp",
                                     "icmp/8",
                                     "icmp/3/4",
                                     "ip/50",
                                     "gre",
                                     "any",
                                     "web",
                                     "mixed",
                                     "tcp/443 from 1024-65535",
                                     "udp/53 from <1024",
                                     "tcp/445",
                                     "udp/137-139"};
constexpr const char* kTimes[] = {"mon-fri 08:00-18:00", "sat,sun", "daily 12:00-13:00", "busy"};

config::Interface interface_of(const char* name, config::Zone zone, const char* address) {
  config::Interface interface;
  interface.name = name;
  interface.zone = zone;
  interface.addresses = {*parse_prefix(address)};
  return interface;
}

config::FilterRule random_rule(Random& random, size_t position) {
  config::FilterRule rule;
  rule.name = "rule-" + std::to_string(position);
  rule.enabled = !one_in(random, 10);
  rule.in = some_of(random, kPlaces);
  rule.out = some_of(random, kPlaces);
  rule.from = some_of(random, kAddresses);
  rule.to = some_of(random, kAddresses);
  if (one_in(random, 4)) rule.to_original = some_of(random, kAddresses);
  rule.service = some_of(random, kServices);
  if (one_in(random, 4)) rule.tcp = static_cast<config::TcpState>(below(random, 3));
  if (one_in(random, 4)) rule.scope = static_cast<config::Scope>(below(random, 3));
  if (one_in(random, 4)) rule.when = {any_of(random, kTimes)};
  rule.action = static_cast<config::RuleAction>(below(random, 4));
  rule.emergency = one_in(random, 4);
  return rule;
}

}  // namespace

NaiveAnswer ask_naively(const config::Model& model, const FlowQuery& query,
                        uint32_t minute_of_week) {
  bool cut_off = model.filter.posture == config::Posture::cut_off;
  bool guarded =
      is_guarded(model, query.in, query.source) || is_guarded(model, query.out, query.destination);
  if (!cut_off && is_sharing(query) && guarded) return {"guard", config::RuleAction::drop};
  for (const config::PortMap& map : model.nat.port_maps) {
    if (!cut_off && is_mapped(model, map, query)) {
      return {"port-map/" + map.name, config::RuleAction::permit};
    }
  }
  for (const config::FilterRule& rule : model.filter.rules) {
    if (cut_off && !rule.emergency) continue;
    if (rule.action == config::RuleAction::next) continue;
    if (holds(model, rule, query, minute_of_week)) return {rule.name, rule.action};
  }
  bool open = model.filter.posture == config::Posture::open;
  return {"", open ? config::RuleAction::permit : config::RuleAction::drop};
}

config::Model random_model(Random& random) {
  config::Model model;
  model.interfaces = {interface_of("wan", config::Zone::external, "203.0.113.1/24"),
                      interface_of("lan", config::Zone::internal, "192.168.1.1/24"),
                      interface_of("off", config::Zone::internal, "10.5.0.1/24"),
                      interface_of("dmz", config::Zone::dmz, "10.9.0.1/24")};
  model.interfaces[2].enabled = false;
  config::Interface& guarded = model.interfaces[below(random, 4)];
  guarded.windows_sharing = static_cast<config::SharingGuard>(below(random, 3));
  guarded.windows_sharing_trusted = {any_of(random, kAddresses)};
  model.routes = {{*parse_prefix("0.0.0.0/0"), *parse_ipv4("203.0.113.254"), "", {}}};
  model.objects.addresses = {{"few", {"192.168.1.3", "198.51.100.7", "10.9.0.5"}, {}},
                             {"nested", {"few", "192.168.1.10-192.168.1.14"}, {}},
                             {"hosts", {"nested", "192.168.1.0/30", "203.0.113.0/28"}, {}}};
  model.objects.services = {{"web", {"tcp/80", "tcp/443"}, {}},
                            {"mixed", {"web", "udp/500", "icmp/8"}, {}}};
  model.objects.times = {{"busy", {"daily 12:00-13:00", "sat,sun"}, {}}};
  for (size_t left = below(random, 30), i = 0; i < left; ++i) {
    model.filter.rules.push_back(random_rule(random, i));
  }
  unsigned posture = below(random, 6);
  if (posture == 0) model.filter.posture = config::Posture::cut_off;
  if (posture == 1) model.filter.posture = config::Posture::open;
  return model;
}

FlowQuery random_query(Random& random) {
  constexpr InterfaceId kPlacesById[] = {0, 1, 3, kGateway};
  constexpr uint8_t kProtocols[] = {1, 6, 6, 6, 17, 17, 47, 50, 99};
  constexpr uint16_t kPorts[] = {20,  52,  53,  54,  79,  80,   90,   91,
                                 135, 138, 443, 445, 500, 1023, 1024, 5000};
  const char* const networks[] = {"192.168.1.0", "10.9.0.0", "198.51.100.0", "203.0.113.0"};
  auto address = [&] {
    if (one_in(random, 20)) return Ipv4Address(static_cast<uint32_t>(random()));
    return Ipv4Address(parse_ipv4(any_of(random, networks))->number + below(random, 16));
  };
  FlowQuery query;
  query.in = kPlacesById[below(random, 4)];
  query.out = kPlacesById[below(random, 4)];
  query.source = address();
  query.destination = address();
  query.original_destination = one_in(random, 4) ? address() : query.destination;
  query.protocol = kProtocols[below(random, std::size(kProtocols))];
  if (has_ports(query.protocol)) {
    query.source_port = kPorts[below(random, std::size(kPorts))];
    query.destination_port = kPorts[below(random, std::size(kPorts))];
  }
  if (query.protocol == protocol::icmp) {
    constexpr uint8_t kTypes[] = {0, 3, 8, 11};
    query.icmp_type = kTypes[below(random, 4)];
    query.icmp_code = static_cast<uint8_t>(below(random, 5));
  }
  if (query.protocol == protocol::tcp) {
    query.established = one_in(random, 3);
    query.tcp_flags = query.established ? tcp_flag::ack : tcp_flag::syn;
  }
  return query;
}

}  // namespace postern
