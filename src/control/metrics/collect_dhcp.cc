// SPDX-License-Identifier: BSD-3-Clause
// The DHCP server, and the gateway's own leases, as metrics; none where they are not configured.
#include "control/gateway.h"
#include "control/metrics/collect.h"
#include "control/metrics/dhcp_metrics.h"

namespace postern::metrics {
namespace {

void collect_pools(const dhcp::Engine& engine, Exposition& out) {
  struct Row {
    uint64_t size = 0, used = 0;
  };
  LimitedRows<Row> rows(kNameRows);
  const auto& scopes = engine.settings().scopes;
  for (size_t i = 0; i < scopes.size(); ++i) {
    const dhcp::Pool& pool = engine.leases().pool(static_cast<dhcp::LeaseTable::ScopeId>(i));
    Row& row = rows.row(scopes[i].name);
    row.size += pool.size();
    row.used += pool.used();
  }
  out.family("postern_dhcp_pool_addresses", Kind::gauge, "addresses that a scope gives out");
  for (const auto& [scope, row] : rows.all())
    out.sample({{"scope", scope}}, row.size);
  out.family("postern_dhcp_pool_used_addresses", Kind::gauge, "of these, those in use");
  for (const auto& [scope, row] : rows.all())
    out.sample({{"scope", scope}}, row.used);
}

void collect_server(const dhcp::Server& server, Exposition& out) {
  using State = dhcp::LeaseState;
  constexpr State kStates[] = {State::offered, State::bound, State::released, State::expired,
                               State::declined};
  out.family("postern_dhcp_leases", Kind::gauge, "leases by state");
  for (const State state : kStates)
    out.sample({{"state", to_word(state)}}, uint64_t{server.engine().leases().count(state)});
  collect_pools(server.engine(), out);
  for (const DhcpMetric& metric : kDhcpMetrics)
    out.counter(metric.name, metric.help, server.engine().counters().*metric.value);
  const dhcp::Server::Traffic& traffic = server.traffic();
  out.counter("postern_dhcp_frames_refused", "replies that an interface had no room for",
              traffic.frames_refused);
  out.counter("postern_dhcp_unsent", "replies that the kernel refused", traffic.unsent);
  out.counter("postern_dhcp_undurable", "replies not sent because the disk refused the lease",
              traffic.undurable);
  out.counter("postern_dhcp_commits", "transactions of the lease file", traffic.commits);
}

void collect_clients(Gateway& gateway, Exposition& out) {
  struct Own {
    std::string interface;
    DhcpClients::Row row;
  };
  std::vector<Own> all;
  for (const config::Interface& interface : gateway.configuration().model().interfaces) {
    if (auto row = gateway.dhcp_clients().row(interface.name))
      all.push_back({interface.name, *row});
  }
  if (all.empty()) return;
  out.family("postern_dhcp_client_has_lease", Kind::gauge,
             "1: the interface has its address from a server");
  for (const Own& own : all)
    out.sample({{"interface", own.interface}}, uint64_t{own.row.lease != nullptr});
  out.family("postern_dhcp_client_lease_end_timestamp_seconds", Kind::gauge,
             "when the lease ends; those without an end are left out");
  for (const Own& own : all) {
    if (own.row.lease == nullptr || own.row.ends == 0) continue;
    out.sample({{"interface", own.interface}}, static_cast<double>(own.row.ends));
  }
}

}  // namespace

void collect_dhcp(Gateway& gateway, Exposition& out) {
  const dhcp::Server* server = gateway.dhcp().server();
  out.gauge("postern_dhcp_enabled", "1: addresses are given out", uint64_t{server != nullptr});
  if (server != nullptr) collect_server(*server, out);
  collect_clients(gateway, out);
}

}  // namespace postern::metrics
