// SPDX-License-Identifier: BSD-3-Clause
// Live state as JSON, one function for each thing that can be shown. Keys are part of the interface
// of `postern --json`: they are added to, never renamed. Units stand in the keys; times are RFC
// 3339 UTC. Thread: control. Every list is bounded by what it shows.
#pragma once

#include <ctime>
#include <memory>
#include <string>

#include "base/time.h"
#include "control/admin/dispatcher.h"

namespace postern {
class Gateway;
class Policy;
}  // namespace postern

namespace postern::admin {

Json show_status(Gateway& gateway);
Json show_interfaces(Gateway& gateway);
Json show_neighbors(Gateway& gateway);
Json show_routes(Gateway& gateway);
Json show_rules(Gateway& gateway);
Json show_dns(Gateway& gateway);
Json show_remote(Gateway& gateway);
Json show_cache(Gateway& gateway);  // cache.cc, as those below
Json http_json(Gateway& gateway);   // for the status; null: no proxy
void add_cache_commands(Dispatcher& dispatcher, Gateway& gateway);
Json show_mail(Gateway& gateway);  // mail.cc, as those below
Json mail_json(Gateway& gateway);  // for the status; null: no mail service
void add_mail_commands(Dispatcher& dispatcher, Gateway& gateway);
Json show_leases(Gateway& gateway);  // leases.cc, as those below
Result<Json> release_lease(Gateway& gateway, const Json& request);
void reserve_lease(Gateway& gateway, const Json& request, const std::string& who, Reply reply);
Result<Json> import_leases(Gateway& gateway, const Json& request);
Json show_logins(Gateway& gateway);  // logins.cc, as those below
Result<Json> log_out(Gateway& gateway, const Json& request, const std::string& who);
// Completes a made-up packet by who is logged in at its source, and the groups of its user.
Json with_user(Gateway& gateway, Json request);
// Reasons that never occurred are left out unless `all`.
Json show_drops(Gateway& gateway, bool all);

// Rows come from the workers a block at a time, so these answer later. At most `limit` rows are
// returned and all that match are counted.
struct DumpFilter {
  std::string host;      // an address of either side, before or after translation; empty: any
  std::string protocol;  // "tcp", "udp", "icmp", a number; empty: any
  uint32_t limit = 1000;
};
constexpr uint32_t kDumpRowsMax = 100'000;
void show_sessions(Gateway& gateway, const DumpFilter& filter, Reply reply);
void show_mappings(Gateway& gateway, const DumpFilter& filter, Reply reply);

// Adds to `result` how many sessions there are, and how many `wanted` would end, and answers with
// it.
void count_ending_sessions(Gateway& gateway, std::unique_ptr<Policy> wanted, Json result,
                           Reply reply);

// Forgets the answers that are kept about `below` and the names below it; empty: all.
Result<Json> flush_dns(Gateway& gateway, const std::string& below);

// "2026-03-01T08:00:00Z".
std::string utc_text(std::time_t at);
// The same for a moment of the dataplane's clock; null for the zero instant.
Json utc_json(Gateway& gateway, Instant at);

}  // namespace postern::admin
