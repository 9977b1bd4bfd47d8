// SPDX-License-Identifier: BSD-3-Clause
// What is exported by IPFIX, as tables: each kind of record is a template, a list of information
// elements (RFC 7012), by which the collector reads it.
//
//   256, 257  a translated session begins         (RFC 8158: NAT44 session create)
//   258, 259  a translated session has ended      (RFC 8158: NAT44 session delete; RFC 5103)
//   260, 261  any other session has ended         (RFC 5103)
//   262       a dynamic mapping begins or ends    (RFC 8158: NAT44 BIB create, delete)
//   263..267  ports, or room for sessions, mappings or hosts are exhausted (RFC 8158)
//   268       what was lost before it was sent    (RFC 7011 4.3), an options template
//   269       names of interfaces, an options template
//
// The second of a pair is for ICMP: type and code instead of a destination port. Sessions are told
// with both directions, the opener's first. Pure; thread: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "dataplane/packet/flow_record.h"

namespace postern::ipfix {

enum class Value : uint8_t {
  at,
  nat_event,
  source,
  post_source,
  source_port,
  post_source_port,
  destination,
  post_destination,
  destination_port,
  post_destination_port,
  protocol,
  icmp,
  ingress,
  egress,
  created,
  last_seen,
  end_reason,
  octets,
  packets,
  reverse_octets,
  reverse_packets,
  direction,
  quota,
  sessions_max,
  mappings_max,
  per_host_max,
  hosts_max,
  process,
  lost_records,
  lost_packets,
  lost_octets,
  first_lost,
  last_lost,
  interface,
  interface_name,
};

struct Field {
  uint16_t element;  // number at IANA
  uint16_t length;   // octets, or kVariableLength
  Value value;
  uint32_t enterprise = 0;  // whose number it is, if not IANA's
};
constexpr uint16_t kVariableLength = 65535;
constexpr uint32_t kReverseEnterprise = 29305;  // RFC 5103 6.1

struct Template {
  uint16_t id;
  uint16_t scopes;  // of an options template: fields that say what it is about; 0: no such
  std::span<const Field> fields;
  size_t record_length = 0;  // octets, of fields with a length
};

std::span<const Template> templates();
const Template& template_of(const FlowRecord& record);
const Template& loss_template();
const Template& interface_template();

struct Limits {
  uint32_t sessions = 0, mappings = 0, hosts = 0, from_host = 0;
};
// Records that did not reach us, and what they would have told.
struct Loss {
  uint64_t records = 0, packets = 0, octets = 0;
  int64_t first_ms = 0, last_ms = 0;  // since 1970

  friend bool operator==(const Loss&, const Loss&) = default;
};

// From the clock of the records to milliseconds since 1970.
constexpr uint64_t to_milliseconds(Instant at, int64_t offset_ns) {
  return static_cast<uint64_t>((at.ns + offset_ns) / 1'000'000);
}
// ingressInterface and egressInterface of an interface, of kGateway and kRecirculate.
constexpr uint32_t interface_number(InterfaceId id) {
  return uint32_t{id} + 1;
}

uint64_t value_of(Value value, const FlowRecord& record, int64_t offset_ns, const Limits& limits);
uint64_t value_of(Value value, const Loss& loss);

}  // namespace postern::ipfix
