// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_settings.h"

#include <sodium.h>

#include <utility>

#include "control/config/resolve.h"
#include "control/services/whole_seconds.h"
#include "control/text_file.h"

namespace postern {
namespace {

// Whatever a client asks for, the gateway does not become a way to itself.
std::vector<AddressRange> own_addresses(const Policy& policy) {
  std::vector<AddressRange> own;
  for (const PolicyInterface& interface : policy.interfaces) {
    if (!interface.exists) continue;
    for (const Prefix& address : interface.addresses)
      own.push_back({address.address, address.address});
  }
  for (const auto& external : policy.nat.external_addresses)
    own.push_back({external.address, external.address});
  return own;
}

http::ProxyLimits limits_of(const config::Http& http) {
  http::ProxyLimits limits;
  limits.connections = http.limits.connections;
  limits.per_client = http.limits.per_client;
  limits.request_body_bytes = http.limits.upload;
  limits.head_s = whole_seconds(http.timeouts.request);
  limits.idle_s = whole_seconds(http.timeouts.idle);
  limits.connect_s = whole_seconds(http.timeouts.connect);
  limits.response_s = whole_seconds(http.timeouts.response);
  limits.client_body_s = limits.upstream_body_s = whole_seconds(http.timeouts.transfer);
  limits.tunnel_idle_s = whole_seconds(http.timeouts.tunnel);
  if (http.cache) limits.finish_aborted_bytes = http.cache->finish_aborted;
  return limits;
}

}  // namespace

http::ProxySettings http_settings(const config::Model& model, const Policy& policy) {
  const config::Http& http = *model.services.http;
  http::ProxySettings settings;
  settings.name = settings.realm = model.system.name;
  settings.destinations.own = own_addresses(policy);
  settings.destinations.refused_ports = http::ports_of_other_protocols();
  settings.destinations.connect_ports = http.connect_ports;
  if (!http.allow_private.empty()) {
    // It was found to resolve when the configuration was judged; else nothing is allowed.
    auto allowed = config::resolve_addresses(model.objects, http.allow_private);
    if (allowed) settings.destinations.allowed = std::move(*allowed);
  }
  if (model.services.dns) settings.local_domain = model.services.dns->domain;
  settings.asks_login = http.login == config::HttpLogin::required;
  settings.limits = limits_of(http);
  if (!http.cache) return settings;
  const config::HttpCache& cache = *http.cache;
  settings.serve.always_validates = cache.always_revalidate;
  settings.serve.is_offline = cache.offline;
  settings.serve.stale_if_unreachable_s = whole_seconds(cache.stale_if_unreachable);
  settings.serve.stale_if_error_s = whole_seconds(cache.stale_if_error);
  settings.keep.object_octets_max = static_cast<int64_t>(cache.largest_object);
  settings.keep.keeps_redirects = cache.redirects;
  settings.keep.default_lifetime_s = whole_seconds(cache.default_lifetime);
  settings.keep.ignores_server_lifetimes = cache.ignore_server_lifetimes;
  settings.finishes_aborted = cache.finish_aborted > 0;
  return settings;
}

std::vector<http::ProxyListener> http_listeners(const config::Http& http, const Policy& policy,
                                                const DeviceOf& device_of) {
  std::vector<http::ProxyListener> listeners;
  for (const io::ListenAddress& at :
       listeners_of(config::listening_of(http), http.port, policy, device_of))
    listeners.push_back({at.device, at.address, at.port, false});
  // Whatever address they are for, on the ports that they are for.
  const Interception& interception = policy.interception;
  for (size_t i = 0; i < policy.interfaces.size(); ++i) {
    const auto id = static_cast<InterfaceId>(i);
    if ((interception.in & set_of(id)) == 0) continue;
    const std::string device = device_of(id);
    if (device.empty()) continue;
    for (const uint16_t port : interception.ports)
      listeners.push_back({device, Ipv4Address(), port, true});
  }
  return listeners;
}

std::vector<io::ListenAddress> places_of(const std::vector<http::ProxyListener>& listeners) {
  std::vector<io::ListenAddress> places;
  places.reserve(listeners.size());
  for (const http::ProxyListener& at : listeners)
    places.push_back({at.device, at.address, at.port});
  return places;
}

Result<http::ParentProxy> http_parent(const config::HttpParent& parent) {
  http::ParentProxy proxy;
  proxy.host = parent.host;
  proxy.port = parent.port;
  proxy.is_trusted = parent.trusted;
  if (parent.user.empty()) return proxy;
  auto text = read_regular_file(parent.password_file);
  if (!text) return std::move(text).error().within("services.http.parent.password_file");
  const std::string_view password = std::string_view(*text).substr(0, text->find_first_of("\r\n"));
  proxy.credentials.append(parent.user).append(":").append(password);
  sodium_memzero(text->data(), text->size());
  return proxy;
}

std::optional<HttpCachePlan> http_cache_plan(const config::Http& http,
                                             const std::string& state_dir) {
  if (!http.enabled || !http.cache) return std::nullopt;
  const config::HttpCache& cache = *http.cache;
  return HttpCachePlan{cache.file.empty() ? state_dir + "/http/cache" : cache.file, cache.size};
}

}  // namespace postern
