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

// Another service of ours that has `wanted`, which stands at `path`, on the same interface.
void validate_port(Check& check, const Http& http, uint16_t wanted, const std::string& path) {
  const Model& model = check.model;
  auto compare = [&](const char* name, const Listening& listening, uint16_t port) {
    const bool meets = std::any_of(
        model.interfaces.begin(), model.interfaces.end(), [&](const Interface& interface) {
          return listens_on(listening_of(http), interface) && listens_on(listening, interface);
        });
    if (port != wanted || !meets) return;
    check.report.error_at(
        path, std::to_string(port) + " is the port of " + name + " on the same interface");
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

// F56: what the proxy cannot read it would only break.
void validate_transparent(Check& check, const Http& http) {
  const HttpTransparent& transparent = *http.transparent;
  const std::string path = join(kPath, "transparent");
  check.require_items(ItemKind::address, transparent.from, join(path, "from"));
  check.require_items(ItemKind::address, transparent.except, join(path, "except"));
  const std::string ports = join(path, "ports");
  const size_t count = transparent.ports.size();
  if (count > kHttpTransparentPortsMax) {
    check.report.error_at(ports,
                          "more than " + std::to_string(kHttpTransparentPortsMax) + " ports");
  }
  for (size_t i = 0; i < count; ++i) {
    const uint16_t port = transparent.ports[i];
    const std::string place = item_path(ports, i, count);
    if (port == kHttpsPort) {
      check.report.error_at(place, "443 is encrypted, which the proxy cannot read");
    } else if (port == http.port) {
      check.report.error_at(place, std::to_string(port) + " is the port of the proxy itself");
    } else if (std::find(transparent.ports.begin(), transparent.ports.end(), port) !=
               transparent.ports.begin() + static_cast<ptrdiff_t>(i)) {
      check.report.error_at(place, std::to_string(port) + " is there already");
    } else if (http.enabled) {
      validate_port(check, http, port, place);
    }
  }
  if (http.login == HttpLogin::required && !check.model.services.portal) {
    check.report.warning_at(path,
                            "browsers that do not know of a proxy cannot log in to it: with login: "
                            "required all they get is a refusal, as there is no log-in page "
                            "(services.portal)");
  }
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

// An own address that stands alone is opened; a range with one in it does not open it.
void warn_of_own(Check& check, const Http& http) {
  auto ranges = resolve_addresses(check.model.objects, http.allow_private);
  if (!ranges) return;
  for (const AddressRange& range : *ranges) {
    const Interface* owner = check.owner_of(range.first);
    if (range.first != range.last || owner == nullptr) continue;
    check.report.warning_at(join(kPath, "allow_private"),
                            "opens " + to_text(range.first) + " of " + quote(owner->name) +
                                ", where the gateway's own services take clients of the proxy for "
                                "the gateway itself");
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
  if (http.enabled) validate_port(check, http, http.port, join(path, "port"));
  if (http.transparent) validate_transparent(check, http);
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
