// SPDX-License-Identifier: BSD-3-Clause
#include "control/ipfix/templates.h"

#include "dataplane/nat/session.h"

namespace postern::ipfix {
namespace {

// --- information elements by their names at IANA
constexpr Field kAt{323, 8, Value::at};  // observationTimeMilliseconds
constexpr Field kNatEvent{230, 1, Value::nat_event};
constexpr Field kSource{8, 4, Value::source};                      // sourceIPv4Address
constexpr Field kPostSource{225, 4, Value::post_source};           // postNATSourceIPv4Address
constexpr Field kSourcePort{7, 2, Value::source_port};             // sourceTransportPort
constexpr Field kPostSourcePort{227, 2, Value::post_source_port};  // postNAPTSourceTransportPort
constexpr Field kDestination{12, 4, Value::destination};
constexpr Field kPostDestination{226, 4, Value::post_destination};
constexpr Field kDestinationPort{11, 2, Value::destination_port};
constexpr Field kPostDestinationPort{228, 2, Value::post_destination_port};
constexpr Field kProtocol{4, 1, Value::protocol};  // protocolIdentifier
constexpr Field kIcmp{32, 2, Value::icmp};         // icmpTypeCodeIPv4
constexpr Field kIngress{10, 4, Value::ingress};
constexpr Field kEgress{14, 4, Value::egress};
constexpr Field kCreated{152, 8, Value::created};     // flowStartMilliseconds
constexpr Field kLastSeen{153, 8, Value::last_seen};  // flowEndMilliseconds
constexpr Field kEndReason{136, 1, Value::end_reason};
constexpr Field kOctets{1, 8, Value::octets};    // octetDeltaCount
constexpr Field kPackets{2, 8, Value::packets};  // packetDeltaCount
constexpr Field kReverseOctets{1, 8, Value::reverse_octets, kReverseEnterprise};
constexpr Field kReversePackets{2, 8, Value::reverse_packets, kReverseEnterprise};
constexpr Field kDirection{239, 1, Value::direction};  // biflowDirection
constexpr Field kQuota{466, 4, Value::quota};          // natQuotaExceededEvent

constexpr Field kBegin[] = {kAt,
                            kNatEvent,
                            kSource,
                            kPostSource,
                            kSourcePort,
                            kPostSourcePort,
                            kDestination,
                            kPostDestination,
                            kDestinationPort,
                            kPostDestinationPort,
                            kProtocol,
                            kIngress,
                            kEgress};
constexpr Field kBeginIcmp[] = {kAt,         kNatEvent,       kSource,      kPostSource,
                                kSourcePort, kPostSourcePort, kDestination, kPostDestination,
                                kIcmp,       kProtocol,       kIngress,     kEgress};
constexpr Field kEnd[] = {kAt,
                          kNatEvent,
                          kCreated,
                          kLastSeen,
                          kEndReason,
                          kSource,
                          kPostSource,
                          kSourcePort,
                          kPostSourcePort,
                          kDestination,
                          kPostDestination,
                          kDestinationPort,
                          kPostDestinationPort,
                          kProtocol,
                          kIngress,
                          kEgress,
                          kOctets,
                          kPackets,
                          kReverseOctets,
                          kReversePackets,
                          kDirection};
constexpr Field kEndIcmp[] = {kAt,
                              kNatEvent,
                              kCreated,
                              kLastSeen,
                              kEndReason,
                              kSource,
                              kPostSource,
                              kSourcePort,
                              kPostSourcePort,
                              kDestination,
                              kPostDestination,
                              kIcmp,
                              kProtocol,
                              kIngress,
                              kEgress,
                              kOctets,
                              kPackets,
                              kReverseOctets,
                              kReversePackets,
                              kDirection};
constexpr Field kPlainEnd[] = {kCreated,       kLastSeen,       kEndReason,       kSource,
                               kSourcePort,    kDestination,    kDestinationPort, kProtocol,
                               kIngress,       kEgress,         kOctets,          kPackets,
                               kReverseOctets, kReversePackets, kDirection};
constexpr Field kPlainEndIcmp[] = {kCreated,       kLastSeen,       kEndReason, kSource,
                                   kSourcePort,    kDestination,    kIcmp,      kProtocol,
                                   kIngress,       kEgress,         kOctets,    kPackets,
                                   kReverseOctets, kReversePackets, kDirection};
constexpr Field kMapping[] = {kAt,         kNatEvent,       kSource,  kPostSource,
                              kSourcePort, kPostSourcePort, kProtocol};
constexpr Field kPortsExhausted[] = {kAt, kNatEvent, kPostSource, kProtocol};
constexpr Field kSessionsExhausted[] = {kAt, kNatEvent, kQuota, {471, 4, Value::sessions_max}};
constexpr Field kMappingsExhausted[] = {kAt, kNatEvent, kQuota, {472, 4, Value::mappings_max}};
constexpr Field kHostExhausted[] = {kAt, kNatEvent, kQuota, {473, 4, Value::per_host_max}, kSource};
constexpr Field kHostsExhausted[] = {kAt, kNatEvent, kQuota, {474, 4, Value::hosts_max}};
constexpr Field kLoss[] = {{144, 4, Value::process},       // exportingProcessId
                           {166, 8, Value::lost_records},  // notSentFlowTotalCount
                           {167, 8, Value::lost_packets}, {168, 8, Value::lost_octets},
                           {323, 8, Value::first_lost},   {323, 8, Value::last_lost}};
constexpr Field kInterface[] = {{10, 4, Value::interface},
                                {82, kVariableLength, Value::interface_name}};

constexpr Template make(uint16_t id, std::span<const Field> fields, uint16_t scopes = 0) {
  Template made{id, scopes, fields};
  for (const Field& field : fields)
    made.record_length += field.length == kVariableLength ? 0 : field.length;
  return made;
}

constexpr Template kTemplates[] = {make(256, kBegin),
                                   make(257, kBeginIcmp),
                                   make(258, kEnd),
                                   make(259, kEndIcmp),
                                   make(260, kPlainEnd),
                                   make(261, kPlainEndIcmp),
                                   make(262, kMapping),
                                   make(263, kPortsExhausted),
                                   make(264, kSessionsExhausted),
                                   make(265, kMappingsExhausted),
                                   make(266, kHostExhausted),
                                   make(267, kHostsExhausted),
                                   make(268, kLoss, 1),
                                   make(269, kInterface, 1)};

constexpr const Template& numbered(uint16_t id) {
  return kTemplates[id - 256];
}

const Template& template_of_exhaustion(DropReason reason) {
  switch (reason) {
    case DropReason::session_table_full:
      return numbered(264);
    case DropReason::mapping_table_full:
      return numbered(265);
    case DropReason::host_limit:
      return numbered(266);
    case DropReason::host_table_full:
      return numbered(267);
    default:
      return numbered(263);
  }
}

// natQuotaExceededEvent: of sessions, mappings, one host, hosts.
uint64_t quota_of(DropReason reason) {
  const uint16_t id = template_of_exhaustion(reason).id;
  return id == 263 ? 0 : id - 263u;
}

uint64_t nat_event_of(const FlowRecord& record) {
  switch (record.event) {
    case FlowEvent::session_begin:
      return 4;
    case FlowEvent::session_end:
      return 5;
    case FlowEvent::mapping_begin:
      return 8;
    case FlowEvent::mapping_end:
      return 9;
    case FlowEvent::exhausted:
      break;
  }
  return quota_of(record.reason) == 0 ? 12 : 13;
}

}  // namespace

std::span<const Template> templates() {
  return kTemplates;
}

const Template& template_of(const FlowRecord& record) {
  const uint16_t icmp = record.original.protocol == protocol::icmp ? 1 : 0;
  switch (record.event) {
    case FlowEvent::session_begin:
      return numbered(static_cast<uint16_t>(256 + icmp));
    case FlowEvent::session_end:
      return numbered(static_cast<uint16_t>((record.is_translated() ? 258 : 260) + icmp));
    case FlowEvent::mapping_begin:
    case FlowEvent::mapping_end:
      return numbered(262);
    case FlowEvent::exhausted:
      break;
  }
  return template_of_exhaustion(record.reason);
}

const Template& loss_template() {
  return numbered(268);
}
const Template& interface_template() {
  return numbered(269);
}

uint64_t value_of(Value value, const FlowRecord& record, int64_t offset_ns, const Limits& limits) {
  constexpr uint64_t kInitiator = 1;  // the flow is told as its opener sees it (RFC 5103)
  switch (value) {
    case Value::at:
      return to_milliseconds(record.at, offset_ns);
    case Value::nat_event:
      return nat_event_of(record);
    case Value::source:
      return record.original.source.value();
    case Value::post_source:
      return record.reply.destination.value();
    case Value::source_port:
      return record.original.source_port.value();
    case Value::post_source_port:
      return record.reply.destination_port.value();
    case Value::destination:
      return record.original.destination.value();
    case Value::post_destination:
      return record.reply.source.value();
    case Value::destination_port:
      return record.original.destination_port.value();
    case Value::post_destination_port:
      return record.reply.source_port.value();
    case Value::protocol:
      return record.original.protocol;
    case Value::icmp:
      return uint64_t{record.icmp_type} << 8 | record.icmp_code;
    case Value::ingress:
      return interface_number(record.in);
    case Value::egress:
      return interface_number(record.out);
    case Value::created:
      return to_milliseconds(record.created, offset_ns);
    case Value::last_seen:
      return to_milliseconds(record.last_seen, offset_ns);
    case Value::end_reason:
      return static_cast<uint64_t>(record.end);
    case Value::octets:
      return record.bytes[0];
    case Value::packets:
      return record.packets[0];
    case Value::reverse_octets:
      return record.bytes[1];
    case Value::reverse_packets:
      return record.packets[1];
    case Value::direction:
      return kInitiator;
    case Value::quota:
      return quota_of(record.reason);
    case Value::sessions_max:
      return limits.sessions;
    case Value::mappings_max:
      return limits.mappings;
    case Value::per_host_max:
      return limits.from_host;
    case Value::hosts_max:
      return limits.hosts;
    default:
      return 0;
  }
}

uint64_t value_of(Value value, const Loss& loss) {
  switch (value) {
    case Value::process:
      return 1;
    case Value::lost_records:
      return loss.records;
    case Value::lost_packets:
      return loss.packets;
    case Value::lost_octets:
      return loss.octets;
    case Value::first_lost:
      return static_cast<uint64_t>(loss.first_ms);
    case Value::last_lost:
      return static_cast<uint64_t>(loss.last_ms);
    default:
      return 0;
  }
}

}  // namespace postern::ipfix
