// SPDX-License-Identifier: BSD-3-Clause
// LogRecord: one event of the packet path, fixed size, written by a worker into its ring and
// formatted by the logging thread (F66, F67). Rules go by generation and index; the reader knows
// their names.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/time.h"
#include "dataplane/packet/drop_reason.h"
#include "dataplane/packet/packet.h"

namespace postern {

enum class LogKind : uint8_t {
  rule,         // a rule with log: true matched (also continue)
  fallthrough,  // no rule matched and log_default is on
  drop,         // refused before or beside the rules (spoofing, evasion); reason says why
  translation,  // a NAT rule or mapping with log: true decided
  session_end,  // a session was ended by a new policy
};

enum class LogAction : uint8_t { permit, drop, deny, next, translate, end };

struct LogRecord {
  Instant at;
  uint32_t generation = 0;  // of the policy that decided
  uint32_t rule = 0;        // kind rule: index in the ruleset; translation: in the NAT rule names
  LogKind kind = LogKind::rule;
  LogAction action = LogAction::drop;
  DropReason reason = DropReason::none;
  InterfaceId in = kNoInterface;
  InterfaceId out = kNoInterface;
  uint8_t protocol = 0;
  uint8_t tcp_flags = 0;
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  WorkerId worker = 0;
  uint16_t length = 0;                             // IPv4 total length, bytes
  Ipv4Address source, destination;                 // as the filter saw them (inside addresses)
  Ipv4Address original_destination;                // before destination NAT
  Ipv4Address translated_source;                   // after source NAT, kind translation
  uint16_t source_port = 0, destination_port = 0;  // host order; ICMP: identifier
  uint16_t original_destination_port = 0;
  uint16_t translated_source_port = 0;
  uint32_t tcp_sequence = 0, tcp_acknowledgment = 0;
  uint16_t tcp_window = 0;
  uint64_t user = 0;  // logged in at `source`, as in Identity; 0: nobody
};
static_assert(sizeof(LogRecord) <= 80);

// Worker -> control: small facts that control acts upon.
enum class EventKind : uint8_t {
  resolve_neighbor,  // packets wait for `address` on `interface`
  neighbor_seen,     // ARP told `address` is at `mac`, and it is meant for us
  address_conflict,  // somebody else on the wire uses our `address`
  probe_answered,    // somebody has `address`, which an interface without one asked about
};

struct ControlEvent {
  EventKind kind = EventKind::resolve_neighbor;
  InterfaceId interface = kNoInterface;
  Ipv4Address address;
  MacAddress mac;
};

}  // namespace postern
