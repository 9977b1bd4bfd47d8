// SPDX-License-Identifier: BSD-3-Clause
// services.http.
#include "control/config/parse.h"

namespace postern::config {
namespace {

void parse_lifetime(Section& section, HttpLifetime& lifetime) {
  section.strings("hosts", lifetime.hosts);
  section.strings("paths", lifetime.paths);
  section.string("contains", lifetime.contains);
  section.string("pattern", lifetime.pattern);
  if (auto field = section.find("lifetime")) lifetime.lifetime = read_duration(*field);
  if (auto field = section.find("largest_object")) lifetime.largest_object = read_size(*field);
  if (auto field = section.find("ignore_server_lifetimes"))
    lifetime.ignore_server_lifetimes = read_boolean(*field);
  section.boolean("always_revalidate", lifetime.always_revalidate);
  section.boolean("never", lifetime.never);
  section.finish();
}

void parse_cache(Section& section, HttpCache& cache) {
  section.string("file", cache.file);
  section.size("size", cache.size);
  section.size("largest_object", cache.largest_object);
  section.duration("default_lifetime", cache.default_lifetime);
  for (const Field& field : section.find_sections("lifetimes")) {
    Section entry(field.report, field.node, field.path, *field.spec.section);
    parse_lifetime(entry, cache.lifetimes.emplace_back());
  }
  section.boolean("redirects", cache.redirects);
  section.boolean("always_revalidate", cache.always_revalidate);
  section.boolean("ignore_server_lifetimes", cache.ignore_server_lifetimes);
  section.duration("stale_if_unreachable", cache.stale_if_unreachable);
  section.duration("stale_if_error", cache.stale_if_error);
  section.boolean("offline", cache.offline);
  section.size("finish_aborted", cache.finish_aborted);
  section.finish();
}

void parse_transparent(Section& section, HttpTransparent& transparent) {
  section.strings("from", transparent.from);
  std::vector<uint16_t> ports;
  section.numbers("ports", ports);
  if (!ports.empty()) transparent.ports = std::move(ports);
  section.strings("except", transparent.except);
  section.finish();
}

void parse_parent(Section& section, HttpParent& parent) {
  section.string("host", parent.host);
  section.number("port", parent.port);
  section.string("user", parent.user);
  section.string("password_file", parent.password_file);
  section.boolean("trusted", parent.trusted);
  section.finish();
}

void parse_http_rule(Section& section, HttpRule& rule) {
  rule.mark = section.node().mark;
  section.string("name", rule.name);
  section.boolean("enabled", rule.enabled);
  section.strings("hosts", rule.hosts);
  section.strings("paths", rule.paths);
  section.string("contains", rule.contains);
  section.string("pattern", rule.pattern);
  section.strings("users", rule.users);
  section.strings("when", rule.when);
  section.word("action", rule.action);
  section.string("message", rule.message);
  section.finish();
}

void parse_limits(Section& section, HttpLimits& limits) {
  section.number("connections", limits.connections);
  section.number("per_client", limits.per_client);
  section.size("upload", limits.upload);
  section.finish();
}

void parse_timeouts(Section& section, HttpTimeouts& timeouts) {
  section.duration("request", timeouts.request);
  section.duration("idle", timeouts.idle);
  section.duration("connect", timeouts.connect);
  section.duration("response", timeouts.response);
  section.duration("transfer", timeouts.transfer);
  section.duration("tunnel", timeouts.tunnel);
  section.finish();
}

}  // namespace

void parse_http(Section& section, Http& http) {
  section.boolean("enabled", http.enabled);
  section.strings("listen", http.listen);
  section.number("port", http.port);
  section.strings("from", http.from);
  if (auto transparent = section.section("transparent"))
    parse_transparent(*transparent, http.transparent.emplace());
  std::vector<uint16_t> ports;
  section.numbers("connect_ports", ports);
  if (!ports.empty()) http.connect_ports = std::move(ports);
  section.strings("allow_private", http.allow_private);
  section.word("login", http.login);
  section.boolean("wpad", http.wpad);
  if (auto cache = section.section("cache")) parse_cache(*cache, http.cache.emplace());
  if (auto parent = section.section("parent")) parse_parent(*parent, http.parent.emplace());
  for (const Field& field : section.find_sections("rules")) {
    Section entry(field.report, field.node, field.path, *field.spec.section);
    parse_http_rule(entry, http.rules.emplace_back());
  }
  if (auto limits = section.section("limits")) parse_limits(*limits, http.limits);
  if (auto timeouts = section.section("timeouts")) parse_timeouts(*timeouts, http.timeouts);
  section.finish();
}

}  // namespace postern::config
