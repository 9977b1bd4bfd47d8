// SPDX-License-Identifier: BSD-3-Clause
// Workers, drops and rules as metrics.
#include <algorithm>
#include <cmath>
#include <ctime>

#include "control/gateway.h"
#include "control/metrics/collect.h"
#include "control/metrics/worker_metrics.h"

namespace postern::metrics {
namespace {

constexpr std::string_view kDefaultRule = "default";  // as in the security log

const WorkerMetric* find_metric(std::string_view counter) {
  const auto* found =
      std::find_if(kWorkerMetrics.begin(), kWorkerMetrics.end(),
                   [&](const WorkerMetric& metric) { return metric.counter == counter; });
  return found != kWorkerMetrics.end() ? found : nullptr;
}

void collect_counter(Gateway& gateway, const NamedCounter& named, Exposition& out) {
  const WorkerMetric* metric = find_metric(named.name);
  if (metric == nullptr) return;
  out.family(metric->name, metric->kind, metric->help);
  for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker) {
    const uint64_t value = (gateway.dataplane().counters(worker).*named.counter).read();
    const std::string label = std::to_string(worker);
    if (metric->unit == 1) {
      out.sample({{"worker", label}}, value);
    } else {
      out.sample({{"worker", label}}, static_cast<double>(value) * metric->unit);
    }
  }
}

void collect_drops(Gateway& gateway, Exposition& out) {
  out.family("postern_dropped_packets", Kind::counter, "packets that did not cross");
  for (unsigned i = 1; i < kDropReasons; ++i) {
    uint64_t packets = 0;
    for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker)
      packets += gateway.dataplane().counters(worker).drops[i].read();
    out.sample({{"reason", to_word(static_cast<DropReason>(i))}}, packets);
  }
}

// External ports that dynamic mappings may have, of each protocol.
uint64_t external_ports(const NatPolicy& nat) {
  const auto addresses = std::count_if(nat.external_addresses.begin(), nat.external_addresses.end(),
                                       [](const auto& external) { return external.dynamic; });
  const auto& left_out = nat.ports_left_out();
  const auto out_of_range = std::count_if(left_out.begin(), left_out.end(), [&](uint16_t port) {
    return port >= nat.first_port && port <= nat.last_port;
  });
  const int64_t ports = int64_t{nat.last_port} - nat.first_port + 1 - out_of_range;
  return static_cast<uint64_t>(addresses * std::max<int64_t>(ports, 0));
}

void collect_limits(Gateway& gateway, Exposition& out) {
  const config::Limits& limits = gateway.configuration().model().system.limits;
  out.gauge("postern_sessions_max", "room for sessions, of all workers", uint64_t{limits.sessions});
  out.gauge("postern_mappings_max", "room for dynamic mappings, of all workers",
            uint64_t{limits.mappings});
  out.gauge("postern_hosts_max", "room for hosts, of all workers", uint64_t{limits.hosts});
  out.gauge("postern_nat_external_ports",
            "external ports that dynamic mappings may have, of each protocol",
            external_ports(gateway.publisher().current()->nat));
}

double unix_seconds(Gateway& gateway, Instant at) {
  const double ago_s = static_cast<double>((gateway.dataplane().now() - at).ns) / 1e9;
  return std::floor(static_cast<double>(std::time(nullptr)) - ago_s);
}

}  // namespace

void collect_workers(Gateway& gateway, Exposition& out) {
  out.gauge("postern_workers", "threads that forward packets",
            uint64_t{gateway.dataplane().workers()});
  out.family("postern_worker_info", Kind::info, "the core that a worker runs on");
  for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker) {
    out.fact({{"worker", std::to_string(worker)},
              {"core", std::to_string(gateway.dataplane().core_of(worker))}});
  }
  out.family("postern_worker_busy_ratio", Kind::gauge,
             "share of its time that a worker was busy with packets, of the last second");
  for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker)
    out.sample({{"worker", std::to_string(worker)}}, gateway.load().share(worker));
  for (const NamedCounter& named : kWorkerCounters)
    collect_counter(gateway, named, out);
  collect_limits(gateway, out);
  collect_drops(gateway, out);
}

void collect_rules(Gateway& gateway, Exposition& out) {
  const Ruleset& rules = gateway.publisher().current()->rules;
  const std::vector<RuleTotals> totals = gateway.publisher().totals();
  LimitedRows<RuleTotals> rows(kRuleRows);
  // The default is the last of the totals; it comes first here, so that it has a row at any rate.
  for (size_t i = 0; i <= rules.size(); ++i) {
    const size_t place = i == 0 ? rules.size() : i - 1;
    const bool is_default = place == rules.size();
    RuleTotals& row =
        rows.row(is_default ? kDefaultRule : rules.at(static_cast<uint16_t>(place)).name);
    row.packets += totals[place].packets;
    row.bytes += totals[place].bytes;
    row.last_hit = std::max(row.last_hit, totals[place].last_hit);
  }
  out.family("postern_rule_packets", Kind::counter, "packets that a rule decided about");
  for (const auto& [name, row] : rows.all())
    out.sample({{"rule", name}}, row.packets);
  out.family("postern_rule_bytes", Kind::counter, "bytes of these packets");
  for (const auto& [name, row] : rows.all())
    out.sample({{"rule", name}}, row.bytes);
  out.family("postern_rule_last_hit_timestamp_seconds", Kind::gauge,
             "when a rule was last hit; rules never hit are left out");
  for (const auto& [name, row] : rows.all()) {
    if (row.last_hit.ns != 0) out.sample({{"rule", name}}, unix_seconds(gateway, row.last_hit));
  }
  out.gauge("postern_rules", "rules in force", uint64_t{rules.size()});
  out.gauge("postern_rules_without_row", "rules whose packets are counted under other",
            uint64_t{rows.beyond()});
}

}  // namespace postern::metrics
