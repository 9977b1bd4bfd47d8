// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/dns_settings.h"

#include "base/assert.h"
#include "control/config/items.h"
#include "control/services/whole_seconds.h"

namespace postern {
namespace {

dns::Name name_of(const std::string& text) {
  auto name = dns::parse_name(text);
  POSTERN_ASSERT(name);  // the form was checked
  return *name;
}

std::vector<dns::ServerAddress> servers_of(const std::vector<std::string>& texts) {
  std::vector<dns::ServerAddress> servers;
  for (const std::string& text : texts) {
    auto server = config::parse_dns_server(text);
    POSTERN_ASSERT(server);
    servers.push_back({server->address, server->port, server->tls});
  }
  return servers;
}

// The reverse zones of a network: one where its length is that of whole octets, else as many as
// make it up (172.16.0.0/12 is 16 of /16).
std::vector<dns::Name> zones_of(const std::string& text) {
  auto network = parse_prefix(text);
  if (!network) return {name_of(text)};
  auto length = static_cast<uint8_t>((network->length + 7) / 8 * 8);
  std::vector<dns::Name> zones;
  uint32_t step = length == 0 ? 0 : 1u << (32 - length);
  for (uint32_t i = 0; i < 1u << (length - network->length); ++i) {
    Ipv4Address first(network->address.number + i * step);
    zones.push_back(dns::reverse_zone({first, length}));
  }
  return zones;
}

}  // namespace

dns::Settings dns_settings(const config::Dns& dns) {
  dns::Settings settings;
  if (!dns.domain.empty()) settings.domain = name_of(dns.domain);
  for (const config::DnsRecord& record : dns.records)
    settings.records.push_back({record.address, name_of(record.name), true});
  settings.hosts_files = dns.hosts;
  settings.servers = servers_of(dns.servers);
  settings.in_parallel = dns.strategy == config::DnsStrategy::parallel;
  for (const config::DnsForward& forward : dns.forward) {
    for (const std::string& zone : forward.zones) {
      for (const dns::Name& name : zones_of(zone))
        settings.forwards.push_back({name, servers_of(forward.servers)});
    }
  }
  settings.cache.entries = dns.cache.entries;
  settings.cache.bytes = uint64_t{dns.cache.mib} << 20;
  settings.cache.ttl_max_s = whole_seconds(dns.cache.max_ttl);
  settings.cache.negative_ttl_max_s = whole_seconds(dns.cache.max_negative_ttl);
  settings.cache.stale_s = whole_seconds(dns.cache.stale);
  settings.prefetch = dns.cache.prefetch;
  settings.rebind_guard = dns.rebind_guard;
  for (const std::string& domain : dns.rebind_allow)
    settings.rebind_allow.push_back(name_of(domain));
  settings.rate_per_client = dns.queries_per_client;
  settings.local_ttl_s = whole_seconds(dns.local_ttl);
  settings.logs_queries = dns.query_log;
  return settings;
}

dns::BlockListSettings block_settings(const config::Dns& dns) {
  dns::BlockListSettings settings;
  settings.files = dns.block.lists;
  settings.allow_files = dns.block.allow_lists;
  settings.allow_names = dns.block.allow;
  settings.names_max = dns.block.names;
  return settings;
}

dns::ValidatorSettings validator_settings(const config::Dns& dns) {
  dns::ValidatorSettings settings;
  if (!dns.dnssec) return settings;
  settings.anchor_files = dns.dnssec->anchors;
  settings.insecure = dns.dnssec->insecure;
  if (!dns.domain.empty()) settings.insecure.push_back(dns.domain);
  for (const config::DnsForward& forward : dns.forward) {
    for (const std::string& zone : forward.zones) {
      for (const dns::Name& name : zones_of(zone))
        settings.insecure.push_back(to_text(name));
    }
  }
  return settings;
}

}  // namespace postern
