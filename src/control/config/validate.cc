// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/validate.h"

#include <set>

#include "control/config/items.h"

namespace postern::config {
namespace {

struct Minimum {
  std::string_view key;
  Duration Timeouts::*value;
  Duration least;
  std::string_view source;
};
// RFC4787-REQ5, RFC5382-REQ5, RFC5508-REQ2: a shorter timeout breaks applications that rely on it.
constexpr Minimum kMinima[] = {
    {"udp", &Timeouts::udp, seconds(120), "RFC 4787 asks for at least 120s"},
    {"tcp_established", &Timeouts::tcp_established, seconds(7440),
     "RFC 5382 asks for at least 7440s"},
    {"tcp_transitory", &Timeouts::tcp_transitory, seconds(240), "RFC 5382 asks for at least 240s"},
    {"icmp_query", &Timeouts::icmp_query, seconds(60), "RFC 5508 asks for at least 60s"}};

void validate_workers(Check& check) {
  const Workers& workers = check.model.system.workers;
  const std::string path = "system.workers";
  if (!workers.cores.empty() && workers.cores.size() != workers.count) {
    check.report.error_at(path + ".cores", std::to_string(workers.cores.size()) +
                                               " cores for count " + std::to_string(workers.count));
  }
  std::set<uint32_t> seen;
  for (size_t i = 0; i < workers.cores.size(); ++i) {
    std::string place = item_path(path + ".cores", i, workers.cores.size());
    std::string core = std::to_string(workers.cores[i]);
    if (!seen.insert(workers.cores[i]).second) {
      check.report.error_at(place, "core " + core + " is listed twice");
    }
  }
}

void validate_limits(Check& check) {
  const System& system = check.model.system;
  if (system.limits.sessions_from_host > system.limits.sessions) {
    check.report.warning_at("system.limits.sessions_from_host",
                            "exceeds limits.sessions, so it limits nothing");
  }
  if (system.limits.sessions_to_host > system.limits.sessions) {
    check.report.warning_at("system.limits.sessions_to_host",
                            "exceeds limits.sessions, so it limits nothing");
  }
}

}  // namespace

Check::Check(const Parsed& from, Report& to)
    : parsed(from), model(from.model), report(to), resolver(from.model.objects) {
  for (ItemKind kind : {ItemKind::address, ItemKind::service, ItemKind::time}) {
    Names& names = kinds_[static_cast<size_t>(kind)];
    const std::vector<Object>& list = objects(kind);
    for (size_t i = 0; i < list.size(); ++i) {
      names.index.emplace(list[i].name, i);
      names.list.push_back(list[i].name);
    }
    names.used.resize(list.size(), false);
  }
  for (const Interface& interface : model.interfaces)
    interface_names_.push_back(interface.name);
}

const std::vector<Object>& Check::objects(ItemKind kind) const {
  return kind == ItemKind::address   ? model.objects.addresses
         : kind == ItemKind::service ? model.objects.services
                                     : model.objects.times;
}

std::optional<size_t> Check::find_object(ItemKind kind, std::string_view name) const {
  const Names& names = kinds_[static_cast<size_t>(kind)];
  auto found = names.index.find(name);
  if (found == names.index.end()) return std::nullopt;
  return found->second;
}

const Interface* Check::find_interface(std::string_view name) const {
  for (const Interface& interface : model.interfaces) {
    if (interface.name == name) return &interface;
  }
  return nullptr;
}

const Interface* Check::owner_of(Ipv4Address address) const {
  for (const Interface& interface : model.interfaces) {
    if (!interface.enabled) continue;
    for (const Prefix& own : interface.addresses) {
      if (own.address == address) return &interface;
    }
  }
  return nullptr;
}

const Interface* Check::network_of(Ipv4Address address) const {
  for (const Interface& interface : model.interfaces) {
    if (!interface.enabled) continue;
    for (const Prefix& own : interface.addresses) {
      if (own.contains(address)) return &interface;
    }
  }
  return nullptr;
}

const Interface* Check::require_interface(const std::string& name, const std::string& path) {
  const Interface* interface = find_interface(name);
  if (!interface) {
    report.error_at(path, "unknown interface " + quote(name) + hint(name, interface_names_));
  }
  return interface;
}

void Check::require_interfaces(const std::vector<std::string>& names, const std::string& path) {
  for (size_t i = 0; i < names.size(); ++i) {
    require_interface(names[i], item_path(path, i, names.size()));
  }
}

void Check::report_unknown_item(ItemKind kind, const std::string& item, const std::string& path) {
  if (report.is_full()) return report.error_at(path, "unknown name");
  std::string text = "unknown name " + quote(item);
  const std::vector<std::string_view>& names = kinds_[static_cast<size_t>(kind)].list;
  std::string_view section = kind == ItemKind::address   ? "objects.addresses"
                             : kind == ItemKind::service ? "objects.services"
                                                         : "objects.times";
  if (kind == ItemKind::address && find_interface(item)) {
    text += "; interfaces are matched by in and out";
  } else if (std::string_view near = nearest_word(item, names); !near.empty()) {
    text += "; did you mean '" + std::string(near) + "'?";
  } else {
    text += "; it is not in " + std::string(section);
  }
  report.error_at(path, std::move(text));
}

void Check::require_items(ItemKind kind, const std::vector<std::string>& items,
                          const std::string& path, bool gateway_allowed) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (kind == ItemKind::address && items[i] == "gateway") {
      if (gateway_allowed) continue;
      report.error_at(item_path(path, i, items.size()),
                      "'gateway' stands in filter rules only; write its addresses");
    } else if (is_object_name(kind, items[i])) {
      if (auto found = find_object(kind, items[i])) {
        kinds_[static_cast<size_t>(kind)].used[*found] = true;
      } else {
        report_unknown_item(kind, items[i], item_path(path, i, items.size()));
      }
    }
  }
}

std::vector<const Object*> Check::unused(ItemKind kind) const {
  std::vector<const Object*> out;
  const std::vector<Object>& list = objects(kind);
  for (size_t i = 0; i < list.size(); ++i) {
    if (!kinds_[static_cast<size_t>(kind)].used[i]) out.push_back(&list[i]);
  }
  return out;
}

std::string item_path(const std::string& path, size_t index, size_t count) {
  return count > 1 ? join(path, index) : path;
}

bool is_object_name(ItemKind kind, std::string_view item) {
  if (!is_name(item)) return false;
  switch (kind) {
    case ItemKind::address:
      return !is_address_keyword(item);
    case ItemKind::service:
      return !is_service_keyword(item);
    case ItemKind::time:
      return !is_time_keyword(item);
  }
  return false;
}

std::string_view host_fault(Ipv4Address address) {
  if (address.number >> 24 == 0) return "is in 0.0.0.0/8";
  if (address.is_loopback()) return "is a loopback address";
  if (address.is_multicast()) return "is a multicast address";
  if (address.is_limited_broadcast()) return "is the broadcast address";
  if (address.is_reserved()) return "is in the reserved network 240.0.0.0/4";
  return {};
}

void validate_system(Check& check) {
  validate_workers(check);
  validate_limits(check);
  for (const Minimum& minimum : kMinima) {
    if (check.model.system.timeouts.*minimum.value < minimum.least) {
      check.report.warning_at(join("system.timeouts", minimum.key), std::string(minimum.source));
    }
  }
  validate_logging(check);
  validate_ipfix(check);
}

void validate(const Parsed& parsed, Report& report) {
  Check check(parsed, report);
  validate_system(check);
  validate_interfaces(check);
  validate_objects(check);
  validate_nat(check);
  validate_port_maps(check);
  validate_filter(check);
  validate_dns(check);
  validate_remote(check);
  validate_users(check);
  if (parsed.interfaces_sound) validate_dhcp(check);
  validate_metrics(check);
  validate_portal(check);
  validate_http(check);
  validate_mail(check);
  if (parsed.interfaces_sound) validate_routes(check);
  if (parsed.interfaces_sound) validate_tests(check);
  if (report.errors() == 0) validate_unused(check);
}

}  // namespace postern::config
