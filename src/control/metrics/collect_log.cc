// SPDX-License-Identifier: BSD-3-Clause
// The logs, and those who are to get their lines. Collectors are at most kSyslogTargetsMax.
#include <string>
#include <vector>

#include "control/gateway.h"
#include "control/metrics/collect.h"

namespace postern::metrics {
namespace {

using Collectors = std::vector<LogHub::Collector>;

template <typename Value>
void add_rows(const Collectors& collectors, Exposition& out, Value value) {
  for (const LogHub::Collector& collector : collectors)
    out.sample({{"collector", collector.name}}, value(collector.status));
}

void collect_collectors(Gateway& gateway, Exposition& out) {
  using Status = SyslogSender::Status;
  const Collectors collectors = gateway.logs().collectors();
  out.family("postern_syslog_up", Kind::gauge, "1: the collector is there and takes lines");
  add_rows(collectors, out, [](const Status& status) { return uint64_t{status.is_open}; });
  out.family("postern_syslog_backlog_bytes", Kind::gauge, "what waits for the collector");
  add_rows(collectors, out, [](const Status& status) { return status.backlog_bytes; });
  out.family("postern_syslog_arrived_messages", Kind::counter, "messages that have arrived there");
  add_rows(collectors, out, [](const Status& status) { return status.arrived; });
  out.family("postern_syslog_lost_lines", Kind::counter,
             "lines that there was no room for while the collector was away or slow");
  add_rows(collectors, out, [](const Status& status) { return status.lost; });
}

}  // namespace

void collect_log(Gateway& gateway, Exposition& out) {
  out.counter("postern_log_lines", "lines of the security log", gateway.security_log().lines());
  out.family("postern_log_unwritten_lines", Kind::counter,
             "lines that the file or the console of a log has missed");
  for (const LogOutput* output : gateway.log_outputs())
    out.sample({{"log", to_word(output->name())}}, output->unwritten());
  const LogWriter* queries = gateway.dns_control().query_log();
  if (queries != nullptr) out.sample({{"log", "dns"}}, queries->unwritten());
  out.counter("postern_journal_lost_lines", "lines that did not reach the journal",
              gateway.logs().journal_lost());
  collect_collectors(gateway, out);
}

}  // namespace postern::metrics
