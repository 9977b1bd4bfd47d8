// SPDX-License-Identifier: BSD-3-Clause
// The DNS service as JSON.
#include "control/admin/show.h"
#include "control/gateway.h"

namespace postern::admin {
namespace {

Json servers_json(const dns::Servers& servers) {
  Json list = Json::array();
  const auto& all = servers.all();
  for (size_t i = 0; i < all.size(); ++i) {
    const dns::Server& server = all[i];
    bool is_down = servers.is_down(static_cast<uint16_t>(i));
    const char* state = is_down ? "down" : server.answers > 0 ? "up" : "unknown";
    list.push_back({{"server", dns::to_text(server.address)},
                    {"state", state},
                    {"queries", server.queries},
                    {"answers", server.answers},
                    {"timeouts", server.timeouts},
                    {"round_trip_us", server.round_trip.ns / 1000}});
  }
  return list;
}

Json listening_json(const dns::Service& service) {
  Json list = Json::array();
  for (const dns::ListenAddress& at : service.listening())
    list.push_back(to_text(at.address) + " on " + at.device);
  return list;
}

}  // namespace

Json show_dns(Gateway& gateway) {
  const dns::Service* service = gateway.dns();
  Json result = {{"since", utc_text(gateway.status().started)}, {"enabled", service != nullptr}};
  if (!service) return result;
  const dns::Forwarder& forwarder = service->forwarder();
  const dns::Counters& counters = forwarder.counters();
  Json counts = Json::object();
  Json help = Json::object();
#define POSTERN_DNS_COUNTER(name, text) \
  counts[#name] = counters.name;        \
  help[#name] = text;
#include "services/dns/counters.def"
#undef POSTERN_DNS_COUNTER
  const dns::Cache& cache = forwarder.cache();
  result["listening"] = listening_json(*service);
  result["servers"] = servers_json(forwarder.servers());
  result["counters"] = std::move(counts);
  result["help"] = std::move(help);
  result["cache"] = {{"entries", cache.entries()},
                     {"entries_max", cache.limits().entries},
                     {"bytes", cache.bytes()},
                     {"bytes_max", cache.limits().bytes},
                     {"evicted", cache.evicted()}};
  result["pending"] = forwarder.pending().size();
  result["tcp_connections"] = service->connections();
  result["tcp_turned_away"] = service->turned_away();
  result["upstream_sockets"] = service->upstream_sockets();
  return result;
}

Result<Json> flush_dns(Gateway& gateway, const std::string& below) {
  dns::Service* service = gateway.dns();
  if (!service) return Error{ErrorCode::not_found, "services.dns is not configured"};
  auto name = dns::parse_name(below.empty() ? "." : below);
  if (!name) return Error{ErrorCode::invalid, "`" + below + "` is not a domain name"};
  return Json{{"flushed", service->flush(*name)}};
}

}  // namespace postern::admin
