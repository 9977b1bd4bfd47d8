// SPDX-License-Identifier: BSD-3-Clause
// The DNS service as metrics; none where it is not configured.
#include <algorithm>
#include <array>

#include "control/gateway.h"
#include "control/metrics/collect.h"

namespace postern::metrics {
namespace {

struct ServerRow {
  uint64_t up = 0, queries = 0, answers = 0, timeouts = 0;
  Duration round_trip;
};

void collect_servers(const dns::Servers& servers, Exposition& out) {
  LimitedRows<ServerRow> rows(kNameRows);
  for (size_t i = 0; i < servers.all().size(); ++i) {
    const dns::Server& server = servers.all()[i];
    ServerRow& row = rows.row(dns::to_text(server.address));
    row.up += servers.is_down(static_cast<uint16_t>(i)) ? 0 : 1;
    row.queries += server.queries;
    row.answers += server.answers;
    row.timeouts += server.timeouts;
    row.round_trip = std::max(row.round_trip, server.round_trip);
  }
  out.family("postern_dns_server_up", Kind::gauge, "1: the server answers, or was not asked yet");
  for (const auto& [server, row] : rows.all())
    out.sample({{"server", server}}, row.up);
  auto count = [&](std::string_view name, std::string_view help, uint64_t ServerRow::*value) {
    out.family(name, Kind::counter, help);
    for (const auto& [server, row] : rows.all())
      out.sample({{"server", server}}, row.*value);
  };
  count("postern_dns_server_queries", "questions to the server", &ServerRow::queries);
  count("postern_dns_server_answers", "answers of the server", &ServerRow::answers);
  count("postern_dns_server_timeouts", "questions without an answer in time", &ServerRow::timeouts);
  out.family("postern_dns_server_round_trip_seconds", Kind::gauge,
             "smoothed time of an answer; 0: not known");
  for (const auto& [server, row] : rows.all())
    out.sample({{"server", server}}, static_cast<double>(row.round_trip.ns) / 1e9);
}

void collect_latency(const dns::Latency& latency, Exposition& out) {
  std::array<double, dns::Latency::kBounds.size()> bounds = {};
  for (size_t i = 0; i < bounds.size(); ++i)
    bounds[i] = static_cast<double>(dns::Latency::kBounds[i].ns) / 1e9;
  out.family("postern_dns_server_answer_seconds", Kind::histogram,
             "how long servers took to answer");
  out.histogram(bounds, latency.counts(), static_cast<double>(latency.sum_ns()) / 1e9);
}

void collect_cache(const dns::Cache& cache, Exposition& out) {
  out.gauge("postern_dns_cache_entries", "answers kept", uint64_t{cache.entries()});
  out.gauge("postern_dns_cache_entries_max", "room for answers", uint64_t{cache.limits().entries});
  out.gauge("postern_dns_cache_bytes", "memory of the answers kept", cache.bytes());
  out.gauge("postern_dns_cache_bytes_max", "memory that they may take", cache.limits().bytes);
  out.counter("postern_dns_cache_evicted", "answers given up for others", cache.evicted());
}

void collect_streams(const dns::Service& service, Exposition& out) {
  out.gauge("postern_dns_tcp_connections", "clients by TCP", uint64_t{service.connections()});
  out.counter("postern_dns_tcp_turned_away", "clients by TCP beyond the limits",
              service.turned_away());
  out.counter("postern_dns_tcp_accept_paused", "times without a descriptor for the next client",
              service.accept_pauses());
  out.gauge("postern_dns_server_sockets", "sockets to servers",
            uint64_t{service.upstream_sockets()});
  out.gauge("postern_dns_pending_questions", "questions to servers under way",
            uint64_t{service.forwarder().pending().size()});
}

struct TlsCount {
  std::string_view name;
  std::string_view help;
  uint64_t dns::TlsCounters::*value;
};
constexpr TlsCount kTlsCounts[] = {
    {"postern_dns_tls_connections_opened", "connections over TLS that were opened",
     &dns::TlsCounters::connections},
    {"postern_dns_tls_connections_resumed", "of these by a session from before",
     &dns::TlsCounters::resumed},
    {"postern_dns_tls_connections_broken", "attempts to connect that failed",
     &dns::TlsCounters::broken},
    {"postern_dns_tls_queries", "questions over TLS", &dns::TlsCounters::queries},
    {"postern_dns_tls_answers", "answers over TLS", &dns::TlsCounters::answers},
    {"postern_dns_tls_timeouts", "questions over TLS without an answer in time",
     &dns::TlsCounters::timeouts},
    {"postern_dns_tls_failures", "questions that ended with their connection",
     &dns::TlsCounters::failures},
    {"postern_dns_tls_stalled", "times that a server stopped reading", &dns::TlsCounters::stalled},
};

void collect_tls(const dns::TlsTransport& tls, Exposition& out) {
  struct Row {
    dns::TlsCounters counters;
    uint64_t open = 0;
  };
  LimitedRows<Row> rows(kNameRows);
  for (const auto& [server, upstream] : tls.upstreams()) {
    Row& row = rows.row(server);
    row.open += upstream->connections();
    for (const TlsCount& count : kTlsCounts)
      row.counters.*count.value += upstream->counters().*count.value;
  }
  if (rows.all().empty()) return;
  out.family("postern_dns_tls_connections", Kind::gauge, "connections over TLS that are open");
  for (const auto& [server, row] : rows.all())
    out.sample({{"server", server}}, row.open);
  for (const TlsCount& count : kTlsCounts) {
    out.family(count.name, Kind::counter, count.help);
    for (const auto& [server, row] : rows.all())
      out.sample({{"server", server}}, row.counters.*count.value);
  }
}

void collect_dnssec(const dns::Validator& validator, Exposition& out) {
  const dns::ValidatorCounters& counters = validator.counters();
  out.family("postern_dns_dnssec_answers", Kind::counter, "answers by what validation said");
  out.sample({{"result", "secure"}}, counters.secure);
  out.sample({{"result", "insecure"}}, counters.insecure);
  out.sample({{"result", "bogus"}}, counters.bogus);
  out.sample({{"result", "failed"}}, counters.failed);
  out.sample({{"result", "refused"}}, counters.refused);
  out.gauge("postern_dns_dnssec_pending", "answers that are being validated",
            uint64_t{validator.outstanding()});
}

}  // namespace

void collect_dns(Gateway& gateway, Exposition& out) {
  const dns::Service* service = gateway.dns();
  out.gauge("postern_dns_enabled", "1: names are served", uint64_t{service != nullptr});
  if (service == nullptr) return;
  const dns::Forwarder& forwarder = service->forwarder();
  const dns::Counters& counters = forwarder.counters();
#define POSTERN_DNS_COUNTER(name, help) out.counter("postern_dns_" #name, help, counters.name);
#include "services/dns/counters.def"
#undef POSTERN_DNS_COUNTER
  collect_cache(forwarder.cache(), out);
  collect_streams(*service, out);
  collect_servers(forwarder.servers(), out);
  collect_latency(forwarder.servers().latency(), out);
  const DnsControl& control = gateway.dns_control();
  collect_tls(*control.tls(), out);
  out.gauge("postern_dns_blocked_names", "names on block lists",
            uint64_t{control.block_lists()->set().blocked.names()});
  if (control.validator() != nullptr) collect_dnssec(*control.validator(), out);
}

}  // namespace postern::metrics
