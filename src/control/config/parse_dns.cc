// SPDX-License-Identifier: BSD-3-Clause
// services.dns.
#include "control/config/parse.h"

namespace postern::config {
namespace {

void parse_record(Section& section, DnsRecord& record) {
  section.string("name", record.name);
  section.address("address", record.address);
  section.finish();
}

void parse_forward(Section& section, DnsForward& forward) {
  section.strings("zone", forward.zones);
  section.strings("servers", forward.servers);
  section.finish();
}

void parse_cache(Section& section, DnsCache& cache) {
  section.number("entries", cache.entries);
  section.number("mib", cache.mib);
  section.duration("max_ttl", cache.max_ttl);
  section.duration("max_negative_ttl", cache.max_negative_ttl);
  section.duration("stale", cache.stale);
  section.boolean("prefetch", cache.prefetch);
  section.finish();
}

void parse_block(Section& section, DnsBlock& block) {
  section.strings("lists", block.lists);
  section.strings("allow_lists", block.allow_lists);
  section.strings("allow", block.allow);
  section.number("names", block.names);
  section.finish();
}

void parse_dnssec(Section& section, Dnssec& dnssec) {
  section.boolean("enabled", dnssec.enabled);
  std::vector<std::string> anchors;
  section.strings("anchors", anchors);
  if (!anchors.empty()) dnssec.anchors = std::move(anchors);  // in place of that of the root
  section.strings("insecure", dnssec.insecure);
  section.finish();
}

}  // namespace

void parse_dns(Section& section, Dns& dns) {
  section.boolean("enabled", dns.enabled);
  section.strings("listen", dns.listen);
  section.string("domain", dns.domain);
  section.strings("hosts", dns.hosts);
  for (const Field& field : section.find_sections("records")) {
    Section record(section.report(), field.node, field.path, *field.spec.section);
    parse_record(record, dns.records.emplace_back());
  }
  section.strings("servers", dns.servers);
  section.word("strategy", dns.strategy);
  for (const Field& field : section.find_sections("forward")) {
    Section forward(section.report(), field.node, field.path, *field.spec.section);
    parse_forward(forward, dns.forward.emplace_back());
  }
  if (auto cache = section.section("cache")) parse_cache(*cache, dns.cache);
  section.string("tls_ca", dns.tls_ca);
  if (auto block = section.section("block")) parse_block(*block, dns.block);
  if (auto dnssec = section.section("dnssec")) parse_dnssec(*dnssec, dns.dnssec.emplace());
  section.duration("local_ttl", dns.local_ttl);
  section.boolean("rebind_guard", dns.rebind_guard);
  section.strings("rebind_allow", dns.rebind_allow);
  section.number("queries_per_client", dns.queries_per_client);
  section.boolean("query_log", dns.query_log);
  section.finish();
}

}  // namespace postern::config
