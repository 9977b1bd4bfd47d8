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
  for (const io::ListenAddress& at : service.listening())
    list.push_back(to_text(at.address) + " on " + at.device);
  return list;
}

Json tls_json(const dns::TlsTransport& tls) {
  Json list = Json::array();
  for (const auto& [text, upstream] : tls.upstreams()) {
    const dns::TlsCounters& counters = upstream->counters();
    list.push_back({{"server", text},
                    {"open", upstream->connections()},
                    {"connections", counters.connections},
                    {"resumed", counters.resumed},
                    {"broken", counters.broken},
                    {"queries", counters.queries},
                    {"answers", counters.answers},
                    {"timeouts", counters.timeouts},
                    {"failures", counters.failures},
                    {"retried", counters.retried},
                    {"unmatched", counters.unmatched},
                    {"stalled", counters.stalled},
                    {"error", upstream->last_error()}});
  }
  return list;
}

Json block_lists_json(const dns::BlockLists& lists) {
  Json list = Json::array();
  for (const dns::BlockFileReport& report : lists.reports()) {
    list.push_back({{"file", report.path},
                    {"names", report.names},
                    {"bad_lines", report.bad_lines},
                    {"first_bad", report.first_bad},
                    {"no_room", report.no_room},
                    {"error", report.error}});
  }
  return list;
}

Json dnssec_json(const dns::Validator* validator) {
  Json result = {{"enabled", validator != nullptr}};
  if (!validator) return result;
  const dns::ValidatorCounters& counters = validator->counters();
  result["secure"] = counters.secure;
  result["insecure"] = counters.insecure;
  result["bogus"] = counters.bogus;
  result["failed"] = counters.failed;
  result["refused"] = counters.refused;
  result["restarts"] = counters.restarts;
  result["under_way"] = validator->outstanding();
  return result;
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
  result["tcp_accept_paused"] = service->accept_pauses();
  result["upstream_sockets"] = service->upstream_sockets();
  const DnsControl& control = gateway.dns_control();
  result["tls"] = tls_json(*control.tls());
  result["block_lists"] = block_lists_json(*control.block_lists());
  result["blocked_names"] = control.block_lists()->set().blocked.names();
  result["dnssec"] = dnssec_json(control.validator());
  return result;
}

Result<Json> flush_dns(Gateway& gateway, const std::string& below) {
  dns::Service* service = gateway.dns();
  if (!service) return Error{ErrorCode::not_found, "services.dns is not configured"};
  auto name = dns::parse_name(below.empty() ? "." : below);
  if (!name) return Error{ErrorCode::failed, "`" + below + "` is not a domain name"};
  return Json{{"flushed", service->flush(*name)}};
}

}  // namespace postern::admin
