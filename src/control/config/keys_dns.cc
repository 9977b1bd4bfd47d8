// SPDX-License-Identifier: BSD-3-Clause
// The keys of services.dns.
#include "control/config/keys.h"

namespace postern::config {
namespace {

constexpr int64_t kDayMs = 86'400'000;

constexpr KeySpec kRecordKeys[] = {
    {.key = "name",
     .type = Type::domain_name,
     .help = "host; without a dot it is known below the domain as well",
     .required = true},
    {.key = "address", .type = Type::address, .help = "its address", .required = true},
};
constexpr SectionSpec kRecord{"services.dns.records[]", kRecordKeys};

constexpr KeySpec kForwardKeys[] = {
    {.key = "zone",
     .type = Type::dns_zone,
     .help = "domain with all below it, or network for its reverse names",
     .required = true,
     .list = true},
    {.key = "servers",
     .type = Type::dns_server,
     .help = "who is asked for these names, and nobody else",
     .required = true,
     .list = true},
};
constexpr SectionSpec kForward{"services.dns.forward[]", kForwardKeys};

constexpr KeySpec kCacheKeys[] = {
    {.key = "entries",
     .type = Type::number,
     .help = "answers kept; beyond that the oldest unused one goes",
     .min = 16,
     .max = 4'000'000,
     .fallback = "100000"},
    {.key = "mib",
     .type = Type::number,
     .help = "memory of the answers kept",
     .min = 4,
     .max = 4096,
     .unit = "MiB",
     .fallback = "64"},
    {.key = "max_ttl",
     .type = Type::duration,
     .help = "how long an answer is kept at most",
     .min = 1000,
     .max = 7 * kDayMs,
     .fallback = "1d"},
    {.key = "max_negative_ttl",
     .type = Type::duration,
     .help = "the same for names that do not exist (RFC 2308)",
     .min = 1000,
     .max = kDayMs,
     .fallback = "1h"},
    {.key = "stale",
     .type = Type::duration,
     .help = "how long beyond its time an answer is told when no server can be reached (RFC "
             "8767); 0s: never",
     .min = 0,
     .max = 7 * kDayMs,
     .fallback = "1d"},
    {.key = "prefetch",
     .type = Type::boolean,
     .help = "ask again for names in use before their time is over",
     .fallback = "true"},
};
constexpr SectionSpec kCache{"services.dns.cache", kCacheKeys};

constexpr KeySpec kBlockKeys[] = {
    {.key = "lists",
     .type = Type::file_path,
     .help = "files of names that do not exist for clients: hosts, plain or adblock format; "
             "changes are seen within seconds",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
    {.key = "allow_lists",
     .type = Type::file_path,
     .help = "files of names that exist all the same",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
    {.key = "allow",
     .type = Type::domain_name,
     .help = "domains that exist all the same, with what is below them",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
    {.key = "names",
     .type = Type::number,
     .help = "names kept, 9 bytes each; further ones are not blocked",
     .min = 1000,
     .max = 100'000'000,
     .fallback = "4000000"},
};
constexpr SectionSpec kBlock{"services.dns.block", kBlockKeys};

constexpr KeySpec kDnssecKeys[] = {
    {.key = "enabled",
     .type = Type::boolean,
     .help = "false: answers are passed on as the servers give them",
     .fallback = "true"},
    {.key = "anchors",
     .type = Type::file_path,
     .help = "files of trust anchors: DS or DNSKEY records as in zone files",
     .fallback = "/usr/share/dns/root.key",
     .list = true},
    {.key = "insecure",
     .type = Type::domain_name,
     .help = "domains that need no signatures; that of this network and those of forward need none",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
};
constexpr SectionSpec kDnssec{"services.dns.dnssec", kDnssecKeys};

constexpr KeySpec kDnsKeys[] = {
    {.key = "enabled",
     .type = Type::boolean,
     .help = "false: stays in the file without effect",
     .fallback = "true"},
    {.key = "listen",
     .type = Type::interface_ref,
     .help = "interfaces whose hosts may ask; default: those of the zones internal and dmz",
     .list = true},
    {.key = "domain",
     .type = Type::domain_name,
     .help = "domain of this network; its names are never asked for outside"},
    {.key = "hosts",
     .type = Type::file_path,
     .help = "hosts files; changes are seen within a second",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
    {.key = "records",
     .type = Type::sections,
     .help = "names and addresses of hosts",
     .max = 10'000,
     .section = &kRecord},
    {.key = "servers",
     .type = Type::dns_server,
     .help = "who is asked, as ADDRESS or ADDRESS:PORT, for DNS over TLS with #NAME or #sha256/PIN "
             "behind; default: those learned from the link",
     .list = true},
    {.key = "strategy",
     .type = Type::word,
     .help = "ordered: the first server that works; parallel: all that work, the fastest answers",
     .words = "ordered|parallel",
     .fallback = "ordered"},
    {.key = "forward",
     .type = Type::sections,
     .help = "other servers for some names; the longest zone decides",
     .max = 200,
     .section = &kForward},
    {.key = "cache", .type = Type::section, .help = "answers kept", .section = &kCache},
    {.key = "tls_ca",
     .type = Type::file_path,
     .help = "authorities for DNS over TLS, a PEM file; default: those that the system knows"},
    {.key = "block", .type = Type::section, .help = "names to block", .section = &kBlock},
    {.key = "dnssec",
     .type = Type::section,
     .help = "validation of answers; default: none",
     .section = &kDnssec},
    {.key = "local_ttl",
     .type = Type::duration,
     .help = "how long clients may keep names of hosts and leases",
     .min = 0,
     .max = kDayMs,
     .fallback = "5s"},
    {.key = "rebind_guard",
     .type = Type::boolean,
     .help = "refuse inside addresses for names of servers outside",
     .fallback = "true"},
    {.key = "rebind_allow",
     .type = Type::domain_name,
     .help = "domains that may have inside addresses; those of forward may anyway",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
    {.key = "queries_per_client",
     .type = Type::number,
     .help = "a second, further ones are dropped; 0: no limit",
     .min = 0,
     .max = 1'000'000,
     .fallback = "1000"},
    {.key = "query_log",
     .type = Type::boolean,
     .help = "write each query to log/dns.log in the state directory",
     .fallback = "false"},
};

}  // namespace

const SectionSpec kDnsSection{"services.dns", kDnsKeys};

}  // namespace postern::config
