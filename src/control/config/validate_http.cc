// SPDX-License-Identifier: BSD-3-Clause
// services.http: who may use the proxy (F53, F58), and whether what it says can be.
#include <algorithm>
#include <string>

#include "control/config/listening.h"
#include "control/config/needs.h"
#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr std::string_view kPath = "services.http";
constexpr uint8_t kTcp = 6;
constexpr uint16_t kDnsPort = 53, kHttpPort = 80, kHttpsPort = 443;

void validate_listen(Check& check, const Http& http) {
  const std::string path = join(kPath, "listen");
  for (size_t i = 0; i < http.listen.size(); ++i) {
    const std::string place = item_path(path, i, http.listen.size());
    const Interface* interface = check.require_interface(http.listen[i], place);
    if (interface == nullptr) continue;
    // F53: no configuration makes an open proxy.
    if (interface->zone == Zone::external) {
      check.report.error_at(
          place, quote(http.listen[i]) + " is external; the proxy is for hosts inside only");
    } else if (interface->enabled && interface->addresses.empty() && !interface->dhcp) {
      check.report.error_at(place, quote(http.listen[i]) + " has no address to be reached at");
    }
  }
}

// Another service of ours that has the port on the same interface.
void validate_port(Check& check, const Http& http) {
  const Model& model = check.model;
  auto compare = [&](const char* name, const Listening& listening, uint16_t port) {
    const bool meets = std::any_of(
        model.interfaces.begin(), model.interfaces.end(), [&](const Interface& interface) {
          return listens_on(listening_of(http), interface) && listens_on(listening, interface);
        });
    if (port != http.port || !meets) return;
    check.report.error_at(join(kPath, "port"), std::to_string(port) + " is the port of " + name +
                                                   " on the same interface");
  };
  const Services& services = model.services;
  if (services.portal && services.portal->enabled)
    compare("services.portal", listening_of(*services.portal), services.portal->port);
  if (services.dns && services.dns->enabled)
    compare("services.dns", listening_of(*services.dns), kDnsPort);
  if (model.admin.metrics)
    compare("admin.metrics", listening_of(*model.admin.metrics), model.admin.metrics->port);
  if (model.admin.remote && model.admin.remote->enabled)
    compare("admin.remote", listening_of(*model.admin.remote), model.admin.remote->port);
}

void validate_cache(Check& check, const HttpCache& cache) {
  const std::string path = join(kPath, "cache");
  if (cache.largest_object > cache.size) {
    check.report.warning_at(join(path, "largest_object"),
                            "is more than the cache holds (services.http.cache.size)");
  }
  if (cache.ignore_server_lifetimes && cache.default_lifetime.ns == 0) {
    check.report.warning_at(join(path, "ignore_server_lifetimes"),
                            "keeps nothing without default_lifetime");
  }
}

// Whoever comes to itself by the proxy is the gateway to its services, and no client any more.
void warn_of_own(Check& check, const Http& http) {
  auto ranges = resolve_addresses(check.model.objects, http.allow_private);
  if (!ranges) return;
  for (const Interface& interface : check.model.interfaces) {
    if (!interface.enabled) continue;
    for (const Prefix& own : interface.addresses) {
      const bool is_within =
          std::any_of(ranges->begin(), ranges->end(), [&own](const AddressRange& range) {
            return range.first != range.last && range.contains(own.address);
          });
      if (!is_within) continue;
      check.report.warning_at(join(kPath, "allow_private"),
                              "has " + to_text(own.address) + " of " + quote(interface.name) +
                                  ", at which the gateway's own services take clients of the proxy "
                                  "for the gateway; name the servers alone");
    }
  }
}

void validate_parent(Check& check, const HttpParent& parent) {
  const std::string path = join(kPath, "parent");
  if (parent.user.empty() != parent.password_file.empty()) {
    check.report.error_at(join(path, parent.user.empty() ? "password_file" : "user"),
                          "user and password_file come together");
  }
  if (parent.user.find(':') != std::string::npos) {
    check.report.error_at(join(path, "user"), "has a colon, which ends a name (RFC 7617)");
  }
  const auto address = parse_ipv4(parent.host);
  if (!address) return;
  const std::string_view fault = address->is_loopback() ? std::string_view() : host_fault(*address);
  if (!fault.empty()) {
    check.report.error_at(join(path, "host"), quote(parent.host) + " " + std::string(fault));
  } else if (check.owner_of(*address) != nullptr) {
    check.report.error_at(join(path, "host"),
                          quote(parent.host) + " is this gateway, which would ask itself");
  }
}

// Without such rules the proxy is there, and fetches nothing.
void warn_of_egress(Check& check, const Http& http) {
  std::vector<Need> needs;
  const std::string path(kPath);
  if (http.parent) {
    needs.push_back({nullptr, kTcp, http.parent->port, join(path, "parent")});
  } else {
    needs.push_back({nullptr, kTcp, kHttpPort, path});
    const auto& ports = http.connect_ports;
    if (std::count(ports.begin(), ports.end(), kHttpsPort) != 0)
      needs.push_back({nullptr, kTcp, kHttpsPort, path});
  }
  meet_by_rules(check, needs);
  for (const Need& need : needs) {
    if (need.is_met) continue;
    check.report.warning_at(need.path,
                            "no rule lets the proxy out; add one with in: gateway, "
                            "out: external, service: tcp/" +
                                std::to_string(need.port));
  }
}

void warn_of_wpad(Check& check, const Http& http) {
  if (http.wpad && !check.model.services.dhcp)
    check.report.warning_at(join(kPath, "wpad"), "tells nobody without services.dhcp");
}

void warn_of_nobody(Check& check, const Http& http) {
  const std::vector<Interface>& interfaces = check.model.interfaces;
  const bool has_any = std::any_of(
      interfaces.begin(), interfaces.end(),
      [&](const Interface& interface) { return listens_on(listening_of(http), interface); });
  if (!has_any) check.report.warning_at(std::string(kPath), "there is no interface to listen on");
}

}  // namespace

void validate_http(Check& check) {
  if (!check.model.services.http) return;
  const Http& http = *check.model.services.http;
  const std::string path(kPath);
  validate_listen(check, http);
  check.require_items(ItemKind::address, http.from, join(path, "from"));
  check.require_items(ItemKind::address, http.allow_private, join(path, "allow_private"));
  if (http.enabled) validate_port(check, http);
  if (http.cache) validate_cache(check, *http.cache);
  if (http.parent) validate_parent(check, *http.parent);
  validate_http_rules(check, http);
  if (http.enabled) warn_of_own(check, http);
  if (!http.enabled || check.report.errors() > 0) return;
  warn_of_nobody(check, http);
  warn_of_wpad(check, http);
  if (check.model.filter.posture == Posture::normal) warn_of_egress(check, http);
}

}  // namespace postern::config
