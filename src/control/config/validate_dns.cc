// SPDX-License-Identifier: BSD-3-Clause
// services.dns: who may ask, and whom we ask.
#include "control/config/items.h"
#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr std::string_view kPath = "services.dns";

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
  for (size_t i = 0; i < dns.records.size(); ++i) {
    if (dns.records[i].address.is_unspecified()) continue;  // not given, and reported
    std::string_view fault = host_fault(dns.records[i].address);
    if (fault.empty()) continue;
    check.report.error_at(path + ".records[" + std::to_string(i) + "].address",
                          to_text(dns.records[i].address) + " " + std::string(fault));
  }
}

}  // namespace postern::config
