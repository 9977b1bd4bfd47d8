// SPDX-License-Identifier: BSD-3-Clause
// Sessions and mappings that begin and end, for IPFIX (P20). Nothing here blocks: a full ring is
// counted, with the packets that it would have told of.
#include "dataplane/pipeline/state.h"

namespace postern {
namespace {

FlowEnd end_of_its_time(const Session& session) {
  switch (session.tcp) {
    case TcpState::closing:
    case TcpState::reset:
      return FlowEnd::finished;
    default:
      return FlowEnd::idle;
  }
}

}  // namespace

void Pipeline::State::tell_flow(FlowRecord& record) {
  record.at = now;
  WorkerCounters& counters = *shared.counters;
  if (shared.flows->push(record)) return counters.flow_records.add(1);
  counters.flow_records_lost.add(1);
  counters.flow_packets_untold.add(record.packets[0] + record.packets[1]);
  counters.flow_bytes_untold.add(record.bytes[0] + record.bytes[1]);
}

FlowRecord Pipeline::State::flow_of(uint32_t index) const {
  FlowRecord record;
  const Session& session = sessions.at(index);
  record.original = session.key[0];
  record.reply = session.key[1];
  record.in = session.ingress(Direction::original);
  record.out = session.egress(Direction::original);
  record.icmp_type = sessions.detail(index).icmp_type;
  record.icmp_code = sessions.detail(index).icmp_code;
  return record;
}

void Pipeline::State::tell_session_begin(uint32_t index) {
  FlowRecord record = flow_of(index);
  if (!record.is_translated()) return;
  record.event = FlowEvent::session_begin;
  tell_flow(record);
}

void Pipeline::State::tell_session_end(uint32_t index, FlowEnd why) {
  FlowRecord record = flow_of(index);
  const Session& session = sessions.at(index);
  const SessionDetail& detail = sessions.detail(index);
  record.event = FlowEvent::session_end;
  record.end = why == FlowEnd::none ? end_of_its_time(session) : why;
  record.bytes[0] = detail.bytes[0] + session.bytes[0];
  record.bytes[1] = detail.bytes[1] + session.bytes[1];
  record.packets[0] = detail.packets_original + session.packets[0];
  record.packets[1] = detail.packets_reply + session.packets[1];
  record.created = from_ticks(detail.created);
  record.last_seen = from_ticks(session.last_seen);
  tell_flow(record);
}

void Pipeline::State::tell_mapping(const Mapping& mapping, FlowEvent event) {
  FlowRecord record;
  record.event = event;
  record.original.protocol = mapping.protocol;
  record.original.source = mapping.internal.address.wire();
  record.original.source_port = be16(mapping.internal.port);
  record.reply.destination = mapping.external.address.wire();
  record.reply.destination_port = be16(mapping.external.port);
  record.in = mapping.internal_interface;
  record.out = mapping.external_interface;
  tell_flow(record);
}

// Not for each packet that is refused: at most so many a second and reason.
void Pipeline::State::tell_exhausted(const Packet& packet, const Decision& decision,
                                     DropReason reason) {
  if (!tells_flows() && !tells_mappings()) return;
  if (!exhaustions[static_cast<size_t>(reason)].take(now)) return;
  FlowRecord record;
  record.event = FlowEvent::exhausted;
  record.reason = reason;
  record.original = packet.key;
  record.reply.destination = decision.external_address.wire();
  tell_flow(record);
}

}  // namespace postern
