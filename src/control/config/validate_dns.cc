// SPDX-License-Identifier: BSD-3-Clause
// services.dns: who may ask, and whom we ask.
#include <algorithm>
#include <set>

#include "control/config/items.h"
#include "control/config/listening.h"
#include "control/config/needs.h"
#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr std::string_view kPath = "services.dns";
constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;

void validate_listen(Check& check, const Dns& dns) {
  const std::string path = std::string(kPath) + ".listen";
  for (size_t i = 0; i < dns.listen.size(); ++i) {
    std::string place = item_path(path, i, dns.listen.size());
    const Interface* interface = check.require_interface(dns.listen[i], place);
    if (!interface) continue;
    // F53: no configuration makes an open resolver.
    if (interface->zone == Zone::external) {
      check.report.error_at(
          place, quote(dns.listen[i]) + " is external; names are told to hosts inside only");
    } else if (interface->enabled && interface->addresses.empty()) {
      check.report.error_at(place, quote(dns.listen[i]) + " has no address to ask at");
    }
  }
}

void validate_server(Check& check, const std::string& server, const std::string& place) {
  auto parsed = parse_dns_server(server);
  if (!parsed) return;  // reported by its form
  // A server on this machine is asked by its own port.
  bool is_beside = parsed->address.is_loopback() && parsed->port != 53;
  std::string_view fault = is_beside ? "" : host_fault(parsed->address);
  if (!fault.empty()) {
    check.report.error_at(place, quote(server) + " " + std::string(fault));
  } else if (check.owner_of(parsed->address) && parsed->port == 53) {
    check.report.error_at(place, quote(server) + " is this gateway, which would ask itself");
  }
}

void validate_servers(Check& check, const std::vector<std::string>& servers,
                      const std::string& path) {
  for (size_t i = 0; i < servers.size(); ++i)
    validate_server(check, servers[i], item_path(path, i, servers.size()));
}

// One zone has one set of servers.
void validate_zones(Check& check, const Dns& dns) {
  std::set<std::string> seen;
  for (size_t i = 0; i < dns.forward.size(); ++i) {
    const std::vector<std::string>& zones = dns.forward[i].zones;
    for (size_t j = 0; j < zones.size(); ++j) {
      std::string zone = zones[j];
      for (char& c : zone)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      if (zone.ends_with('.')) zone.pop_back();
      if (seen.insert(zone).second) continue;
      std::string path = join(std::string(kPath) + ".forward", i) + ".zone";
      check.report.error_at(item_path(path, j, zones.size()),
                            quote(zones[j]) + " has servers already; list all of them there");
    }
  }
}

constexpr size_t kNeedsMax = 64;  // one an interface, and one a protocol and port of servers

void need_listeners(Check& check, const Dns& dns, std::vector<Need>& needs) {
  for (const Interface& interface : check.model.interfaces) {
    if (!listens_on(listening_of(dns), interface)) continue;
    needs.push_back({&interface, kUdp, 53, std::string(kPath)});
  }
}

// One for each protocol and port.
void need_servers(const std::vector<std::string>& servers, const std::string& path,
                  std::vector<Need>& needs) {
  for (size_t i = 0; i < servers.size(); ++i) {
    auto server = parse_dns_server(servers[i]);
    if (!server || server->address.is_loopback()) continue;
    uint8_t protocol = server->tls.empty() ? kUdp : kTcp;
    bool is_known = std::any_of(needs.begin(), needs.end(), [&](const Need& need) {
      return need.asker == nullptr && need.protocol == protocol && need.port == server->port;
    });
    if (is_known || needs.size() >= kNeedsMax) continue;
    needs.push_back({nullptr, protocol, server->port, item_path(path, i, servers.size())});
  }
}

// Without such rules the service is there, and mute.
void warn_of_rules(Check& check, const Dns& dns) {
  std::vector<Need> needs;
  need_listeners(check, dns, needs);
  const std::string path(kPath);
  need_servers(dns.servers, path + ".servers", needs);
  for (size_t i = 0; i < dns.forward.size(); ++i)
    need_servers(dns.forward[i].servers, join(path + ".forward", i) + ".servers", needs);
  meet_by_rules(check, needs);
  warn_of_unmet(check, needs);
}

// An interface without an address may learn one, and servers with it.
void warn_of_no_servers(Check& check, const Dns& dns) {
  const std::vector<Interface>& interfaces = check.model.interfaces;
  bool has_addresses = std::all_of(interfaces.begin(), interfaces.end(), [](const Interface& i) {
    return !i.enabled || !i.addresses.empty();
  });
  if (dns.servers.empty() && has_addresses) {
    check.report.warning_at(std::string(kPath), "has no servers, so names outside are not found");
  }
}

}  // namespace

void validate_dns(Check& check) {
  if (!check.model.services.dns) return;
  const Dns& dns = *check.model.services.dns;
  const std::string path(kPath);
  validate_listen(check, dns);
  validate_servers(check, dns.servers, path + ".servers");
  for (size_t i = 0; i < dns.forward.size(); ++i) {
    validate_servers(check, dns.forward[i].servers,
                     path + ".forward[" + std::to_string(i) + "].servers");
  }
  validate_zones(check, dns);
  if (dns.enabled && check.report.errors() == 0) {
    if (check.model.filter.posture == Posture::normal) warn_of_rules(check, dns);
    warn_of_no_servers(check, dns);
  }
  for (size_t i = 0; i < dns.records.size(); ++i) {
    if (dns.records[i].address.is_unspecified()) continue;  // not given, and reported
    std::string_view fault = host_fault(dns.records[i].address);
    if (fault.empty()) continue;
    check.report.error_at(path + ".records[" + std::to_string(i) + "].address",
                          to_text(dns.records[i].address) + " " + std::string(fault));
  }
}

}  // namespace postern::config
