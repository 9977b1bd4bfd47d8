// SPDX-License-Identifier: BSD-3-Clause
// The counters of counters.def as metrics. A test says which one has no row here.
#pragma once

#include <array>
#include <string_view>

#include "control/metrics/exposition.h"
#include "dataplane/packet/counters.h"

namespace postern::metrics {

struct WorkerMetric {
  std::string_view counter;  // as in counters.def
  std::string_view name;
  Kind kind;
  std::string_view help;
  double unit = 1;  // what one of the counter is of the metric
};

inline constexpr auto kWorkerMetrics = std::to_array<WorkerMetric>({
    {"sessions", "postern_sessions", Kind::gauge, "sessions in use"},
    {"mappings", "postern_mappings", Kind::gauge, "dynamic mappings in use"},
    {"hosts", "postern_hosts", Kind::gauge, "hosts whose sessions are counted"},
    {"half_open", "postern_half_open_sessions", Kind::gauge, "TCP sessions not yet established"},
    {"fragments_held", "postern_held_fragments", Kind::gauge,
     "pieces that wait for the first one of their datagram"},
    {"neighbors_waiting", "postern_neighbor_waiting_packets", Kind::gauge,
     "packets that wait for the MAC address of their next hop"},
    {"sessions_created", "postern_sessions_created", Kind::counter, "sessions that began"},
    {"sessions_expired", "postern_sessions_expired", Kind::counter, "sessions that were idle"},
    {"sessions_evicted", "postern_sessions_evicted", Kind::counter,
     "sessions given up for new ones in a full table"},
    {"sessions_ended_by_policy", "postern_sessions_ended_by_policy", Kind::counter,
     "sessions that a new policy did not allow"},
    {"sessions_ended_by_logout", "postern_sessions_ended_by_logout", Kind::counter,
     "sessions whose user is somebody else now, or nobody"},
    {"replies_sent", "postern_replies_sent", Kind::counter, "deny answers and ICMP errors sent"},
    {"replies_limited", "postern_replies_limited", Kind::counter,
     "deny answers and ICMP errors beyond their rate"},
    {"handed_off", "postern_handed_off_packets", Kind::counter,
     "packets given to the worker that owns them"},
    {"hairpinned", "postern_hairpinned_packets", Kind::counter,
     "packets from inside to an external address, back inside"},
    {"log_records", "postern_log_records", Kind::counter, "records for the security log"},
    {"log_records_lost", "postern_log_records_lost", Kind::counter,
     "records that the ring to the logging thread had no room for"},
    {"log_records_suppressed", "postern_log_records_suppressed", Kind::counter,
     "refusals left out of the log, beyond the rate of their reason"},
    {"flow_records", "postern_flow_records", Kind::counter,
     "records of sessions and mappings for IPFIX"},
    {"flow_records_lost", "postern_flow_records_lost", Kind::counter,
     "records that the ring to the IPFIX thread had no room for"},
    {"flow_packets_untold", "postern_flow_untold_packets", Kind::counter,
     "packets of sessions whose last record was lost so"},
    {"flow_bytes_untold", "postern_flow_untold_bytes", Kind::counter, "bytes of these packets"},
    {"events_lost", "postern_events_lost", Kind::counter,
     "events that the ring to the control thread had no room for"},
    {"turns", "postern_worker_turns", Kind::counter, "turns of the poll loop"},
    {"busy_turns", "postern_worker_busy_turns", Kind::counter, "turns that moved something"},
    {"busy_ns", "postern_worker_busy_seconds", Kind::counter, "time that these took", 1e-9},
});

}  // namespace postern::metrics
