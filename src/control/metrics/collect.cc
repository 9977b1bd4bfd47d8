// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/collect.h"

#include <ctime>
#include <map>

#include "control/compile/policy_text.h"
#include "control/gateway.h"
#include "control/text_file.h"

namespace postern::metrics {
namespace {

double seconds_of(std::time_t at) {
  return static_cast<double>(at);
}

void collect_configuration(Gateway& gateway, Exposition& out) {
  const Policy& policy = *gateway.publisher().current();
  out.gauge("postern_config_generation", "number of the policy in force",
            uint64_t{policy.generation});
  out.gauge("postern_config_published_timestamp_seconds", "since when it is in force",
            seconds_of(gateway.status().configured));
  out.family("postern_config", Kind::info, "where the configuration in force comes from");
  out.fact({{"source", gateway.status().source}});
  out.family("postern_config_posture", Kind::gauge, "1: the posture of the filter");
  for (const Posture posture : {Posture::normal, Posture::cut_off, Posture::open}) {
    out.sample({{"posture", to_word(posture)}}, uint64_t{policy.rules.posture() == posture});
  }
  const auto text = read_text_file(gateway.options().config_file);
  const bool is_same = text && *text == gateway.configuration().text();
  out.gauge("postern_config_is_of_file", "1: what is in force is what the configuration file says",
            uint64_t{is_same});
  out.gauge("postern_config_trial_active", "1: a configuration waits to be confirmed",
            uint64_t{gateway.changes().trial().has_value()});
  const Duration left = gateway.changes().trial() ? gateway.changes().time_left() : Duration();
  out.gauge("postern_config_trial_left_seconds", "until it is taken back",
            static_cast<double>(left.ns) / 1e9);
  out.gauge("postern_config_rules_compiled", "1: rules are compiled, or few enough to be a list",
            uint64_t{!policy.rules.is_defeated()});
  out.gauge("postern_config_rules_compiled_bytes", "memory of the compiled rules",
            uint64_t{policy.rules.compiled_bytes()});
  out.gauge("postern_config_waiting_policies", "old policies that some worker may still read",
            uint64_t{gateway.publisher().retired()});
  out.gauge("postern_routes", "routes in force", uint64_t{policy.routes.routes().size()});
}

void collect_warnings(Gateway& gateway, Exposition& out) {
  LimitedRows<uint64_t> rows(kNameRows);
  for (const auto& [about, text] : gateway.status().warnings)
    ++rows.row(about);
  out.gauge("postern_warnings", "what `postern status` warns of by subject, how many",
            uint64_t{gateway.status().warnings.size()});
  out.family("postern_warning", Kind::gauge, "1: `postern status` warns of this");
  for (const auto& [about, count] : rows.all())
    out.sample({{"about", about}}, count);
}

void collect_neighbors(Gateway& gateway, Exposition& out) {
  using State = Resolver::State;
  constexpr State kStates[] = {State::asking, State::known, State::probing, State::silent,
                               State::fixed};
  std::map<State, uint64_t> counts;
  for (const Resolver::Row& row : gateway.resolver().rows(gateway.dataplane().now()))
    ++counts[row.state];
  out.family("postern_neighbors", Kind::gauge, "neighbors by what is known of them");
  for (const State state : kStates)
    out.sample({{"state", to_word(state)}}, counts[state]);
}

void collect_ipfix(Gateway& gateway, Exposition& out) {
  const ipfix::Exporter::Status status = gateway.exporter().status();
  out.gauge("postern_ipfix_up", "1: records go to a collector and nobody complains",
            uint64_t{status.is_on && status.is_open});
  out.counter("postern_ipfix_records_sent", "records that the collector was sent", status.sent);
  out.counter("postern_ipfix_records_lost", "records that there was no room for", status.lost);
  out.gauge("postern_ipfix_records_waiting",
            "records that were not sent yet, or wait for an answer", status.waiting);
}

void collect_own(Gateway& gateway, Exposition& out) {
  const Counters& counters = gateway.metrics().counters();
  out.counter("postern_metrics_pages", "times that the metrics were told", counters.pages);
  out.counter("postern_metrics_bad_requests", "requests that were answered with an error",
              counters.bad_requests);
  out.family("postern_metrics_refused_connections", Kind::counter,
             "connections closed without an answer");
  out.sample({{"reason", "source"}}, counters.refused_sources);
  out.sample({{"reason", "full"}}, counters.refused_full);
  out.sample({{"reason", "timeout"}}, counters.timeouts);
  out.gauge("postern_metrics_connections", "clients that read the metrics",
            uint64_t{gateway.metrics().connections()});
  out.gauge("postern_metrics_page_seconds", "how long the page before this one took to make",
            static_cast<double>(counters.page_took.ns) / 1e9);
}

}  // namespace

void collect_system(Gateway& gateway, Exposition& out) {
  out.family("postern_build", Kind::info, "what runs");
  out.fact({{"version", POSTERN_VERSION},
            {"name", gateway.configuration().model().system.name},
            {"hugepages", gateway.dataplane().uses_hugepages() ? "true" : "false"}});
  out.gauge("postern_live", "1: the rule set is live and packets pass",
            uint64_t{gateway.status().is_live});
  out.gauge("process_start_time_seconds", "when posternd was started",
            seconds_of(gateway.status().started));
  out.gauge("postern_start_duration_seconds", "how long it took until the rule set was live",
            gateway.status().start_s);
  const BufferFacts buffers = gateway.dataplane().buffers();
  out.gauge("postern_packet_buffers", "packet buffers there are", uint64_t{buffers.total});
  out.gauge("postern_packet_buffers_free", "packet buffers that are free", uint64_t{buffers.free});
  collect_configuration(gateway, out);
  collect_warnings(gateway, out);
  collect_neighbors(gateway, out);
  collect_ipfix(gateway, out);
  collect_own(gateway, out);
}

std::string collect(Gateway& gateway, Format format) {
  Exposition out(format);
  collect_system(gateway, out);
  collect_log(gateway, out);
  collect_process(out);
  collect_interfaces(gateway, out);
  collect_workers(gateway, out);
  collect_rules(gateway, out);
  collect_dns(gateway, out);
  collect_http(gateway, out);
  collect_mail(gateway, out);
  collect_dhcp(gateway, out);
  return out.finish();
}

}  // namespace postern::metrics
