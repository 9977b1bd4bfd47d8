// SPDX-License-Identifier: BSD-3-Clause
// Counters and log records of the packet path. Nothing here blocks: a full ring is counted (F67).
#include "dataplane/pipeline/state.h"
#include "dataplane/wire/headers.h"

namespace postern {
namespace {

void fill_from(LogRecord& record, const Packet& packet) {
  record.in = packet.from_host ? kGateway : packet.ingress;
  record.length = packet.l3_length;
  record.protocol = packet.key.protocol;
  record.tcp_flags = packet.tcp_flags;
  record.icmp_type = packet.icmp_type;
  record.icmp_code = packet.icmp_code;
  record.source = Ipv4Address(packet.key.source);
  record.destination = record.original_destination = Ipv4Address(packet.key.destination);
  record.source_port = packet.key.source_port.value();
  record.destination_port = record.original_destination_port = packet.key.destination_port.value();
  // A packet that parse refused may be cut short.
  bool has_header = packet.l4_offset != 0 && packet.l4_offset + sizeof(TcpHeader) <= packet.length;
  if (packet.key.protocol == protocol::tcp && !packet.is_later_fragment && has_header) {
    const TcpHeader& tcp = tcp_at(packet.l4());
    record.tcp_sequence = tcp.sequence.value();
    record.tcp_acknowledgment = tcp.acknowledgment.value();
    record.tcp_window = tcp.window.value();
  }
}

void fill_from(LogRecord& record, const Decision& decision) {
  record.in = decision.query.in;
  record.out = decision.query.out;
  record.source = decision.query.source;
  record.destination = decision.query.destination;
  if (has_ports(record.protocol)) {
    record.source_port = decision.query.source_port;
    record.destination_port = decision.query.destination_port;
  }
}

LogAction to_log(Action action) {
  switch (action) {
    case Action::permit:
      return LogAction::permit;
    case Action::deny:
      return LogAction::deny;
    case Action::next:
      return LogAction::next;
    case Action::drop:
      break;
  }
  return LogAction::drop;
}

// Refusals that mean somebody tries something: always in the security log (F04, F26).
bool is_suspicious(DropReason reason) {
  return reason == DropReason::spoofed_source || reason == DropReason::ipv4_options_refused ||
         reason == DropReason::fragment_malformed || reason == DropReason::tcp_flags_bad ||
         reason == DropReason::source_address_bad || reason == DropReason::mapping_filtered;
}

}  // namespace

bool RefusalBudget::take(Instant now) {
  const int64_t second = now.ns / seconds(1).ns;
  if (second != second_) taken_ = 0;
  second_ = second;
  return taken_++ < kRefusalsLoggedPerSecond;
}

void Pipeline::State::count_drop(const Packet& packet, DropReason reason) {
  shared.counters->drops[static_cast<unsigned>(reason)].add(1);
  if (packet.ingress < kInterfacesMax) {
    shared.counters->interfaces[packet.ingress].rx_drops.add(1);
  }
}

void Pipeline::State::drop(Packet& packet, DropReason reason, uint16_t rule) {
  count_drop(packet, reason);
  out->push(packet, postern::drop(reason, rule));
}

void Pipeline::State::drop_answered(const Packet& packet, DropReason reason) {
  count_drop(packet, reason);
  if (shared.tap != nullptr && shared.tap->is_on()) shared.tap->dropped(packet, reason, denied_by);
}

void Pipeline::State::trace(const Packet& packet, const Session& session, SessionUse use) {
  if (packet.trace == 0) [[likely]]
    return;
  if (shared.tap != nullptr && shared.tap->is_following()) {
    shared.tap->in_session(packet, session.rule, use);
  }
}

void Pipeline::State::count_rule(uint16_t rule, const Packet& packet, uint64_t packets) {
  size_t index = rule == kNoRule ? policy->rules.size() : rule;
  RuleCounters& counters = rule_counters[index];
  counters.packets.add(packets);
  counters.bytes.add(packet.l3_length);
  counters.last_hit_ns.set(static_cast<uint64_t>(now.ns));
}

// The verdict of the filter on a first packet: rules on the way, then the one that decided.
// Permitted packets are counted where they are forwarded.
void Pipeline::State::report(const Packet& packet, const Decision& decision, const NextHits& hits) {
  if (!decision.filtered) return report_refused(packet, decision.reason);
  LogRecord record;
  fill_from(record, packet);
  fill_from(record, decision);
  for (uint32_t i = 0; i < hits.count; ++i) {
    count_rule(hits.rules[i], packet, 1);
    if (!policy->rules.at(hits.rules[i]).log) continue;
    record.kind = LogKind::rule;
    record.rule = hits.rules[i];
    record.action = LogAction::next;
    log(record);
  }
  bool is_default = decision.rule == kNoRule;
  Action action =
      is_default ? policy->rules.default_action() : policy->rules.at(decision.rule).action;
  if (action != Action::permit) count_rule(decision.rule, packet, 1);
  bool is_logged = is_default ? policy->rules.log_default() : policy->rules.at(decision.rule).log;
  if (!is_logged) return;
  record.kind = is_default ? LogKind::fallthrough : LogKind::rule;
  record.rule = decision.rule;
  record.action = to_log(action);
  record.reason = decision.reason;
  log(record);
}

void Pipeline::State::report_translation(const Packet& packet, const Decision& decision,
                                         const Session& session) {
  const bool by_rule = decision.source_rule != nullptr && decision.source_rule->log;
  const bool by_map = decision.destination != nullptr && decision.destination->log;
  const bool by_one = decision.source_one_to_one != nullptr && decision.source_one_to_one->log;
  if (!by_rule && !by_map && !by_one) return;
  LogRecord record;
  fill_from(record, packet);
  fill_from(record, decision);
  record.kind = LogKind::translation;
  record.action = LogAction::translate;
  // NAT names count source rules first, then configured mappings (control/compile/names.h).
  const NatPolicy& nat = policy->nat;
  const ConfiguredMapping* mapping = by_map ? decision.destination : decision.source_one_to_one;
  record.rule = by_rule ? static_cast<uint32_t>(decision.source_rule - nat.source_rules.data())
                        : static_cast<uint32_t>(nat.source_rules.size() +
                                                static_cast<size_t>(mapping - nat.mappings.data()));
  record.translated_source = Ipv4Address(session.key[1].destination);
  record.translated_source_port = session.key[1].destination_port.value();
  log(record);
}

void Pipeline::State::report_refused(const Packet& packet, DropReason reason) {
  if (!is_suspicious(reason) || policy == nullptr) return;
  const auto index = static_cast<size_t>(reason);
  if (!refusals[index].take(now)) {
    shared.counters->log_records_suppressed.add(1);
    shared.counters->suppressed[index].add(1);
    return;
  }
  LogRecord record;
  if (packet.kind == PacketKind::ipv4) fill_from(record, packet);
  record.in = packet.from_host ? kGateway : packet.ingress;
  record.kind = LogKind::drop;
  record.action = LogAction::drop;
  record.reason = reason;
  log(record);
}

void Pipeline::State::report_end(const Session& session) {
  LogRecord record;
  record.kind = LogKind::session_end;
  record.action = LogAction::end;
  record.reason = DropReason::session_ended;
  record.in = session.ingress(Direction::original);
  record.out = session.egress(Direction::original);
  record.protocol = session.key[0].protocol;
  record.source = Ipv4Address(session.key[0].source);
  record.source_port = session.key[0].source_port.value();
  record.original_destination = Ipv4Address(session.key[0].destination);
  record.original_destination_port = session.key[0].destination_port.value();
  record.destination = Ipv4Address(session.key[1].source);
  record.destination_port = session.key[1].source_port.value();
  record.rule = kNoRule;
  log(record);
}

void Pipeline::State::log(LogRecord& record) {
  record.at = now;
  record.generation = policy->generation;
  record.worker = settings.worker;
  record.user = left_user;  // of a session whose user is there no more, whoever is now
  if (record.user == 0 && identities != nullptr) {
    if (const Identity* who = identities->find(record.source)) record.user = who->user;
  }
  if (shared.log->push(record)) {
    shared.counters->log_records.add(1);
  } else {
    shared.counters->log_records_lost.add(1);
  }
}

void Pipeline::State::tell(const ControlEvent& event) {
  if (!shared.events->push(event)) shared.counters->events_lost.add(1);
}

}  // namespace postern
