// SPDX-License-Identifier: BSD-3-Clause
// system, admin.
#include "control/config/parse.h"

namespace postern::config {
namespace {

void parse_workers(Section& section, Workers& workers) {
  section.number("count", workers.count);
  section.numbers("cores", workers.cores);
  section.word("idle", workers.idle);
  section.number("wake_us", workers.wake_us);
  section.finish();
}

void parse_memory(Section& section, Memory& memory) {
  section.word("hugepages", memory.hugepages);
  section.number("mib", memory.mib);
  section.finish();
}

void parse_limits(Section& section, Limits& limits) {
  section.number("sessions", limits.sessions);
  section.number("mappings", limits.mappings);
  section.number("hosts", limits.hosts);
  section.number("sessions_from_host", limits.sessions_from_host);
  section.number("sessions_to_host", limits.sessions_to_host);
  section.finish();
}

void parse_timeouts(Section& section, Timeouts& timeouts) {
  section.duration("udp", timeouts.udp);
  section.duration("tcp_established", timeouts.tcp_established);
  section.duration("tcp_transitory", timeouts.tcp_transitory);
  section.duration("icmp_query", timeouts.icmp_query);
  section.duration("other", timeouts.other);
  section.finish();
}

}  // namespace

void parse_system(Section& section, System& system) {
  section.string("name", system.name);
  if (auto workers = section.section("workers")) parse_workers(*workers, system.workers);
  if (auto memory = section.section("memory")) parse_memory(*memory, system.memory);
  if (auto limits = section.section("limits")) parse_limits(*limits, system.limits);
  if (auto timeouts = section.section("timeouts")) parse_timeouts(*timeouts, system.timeouts);
  section.strings("eal_args", system.eal_args);
  section.finish();
}

void parse_admin(Section& section, Admin& admin) {
  if (auto socket = section.section("socket")) {
    socket->string("group", admin.socket.group);
    socket->word("role", admin.socket.role);
    socket->finish();
  }
  if (auto metrics = section.section("metrics")) parse_metrics(*metrics, admin.metrics.emplace());
  if (auto remote = section.section("remote")) parse_remote(*remote, admin.remote.emplace());
  section.finish();
}

}  // namespace postern::config
