// SPDX-License-Identifier: BSD-3-Clause
// decide(): what the policy makes of the first packet of a flow. One pure function for the workers,
// for judging living sessions again and for `postern explain`, so that they cannot differ (C04).
//
//   anti-spoof -> destination NAT -> route -> filter (inside addresses, both directions)
//              -> for the HTTP proxy? -> source NAT
#pragma once

#include <cstdint>

#include "dataplane/packet/verdict.h"
#include "dataplane/policy/identities.h"
#include "dataplane/policy/policy.h"

namespace postern {

// The first packet of a flow, as received. Ports as in FlowKey (ICMP: identifier).
struct FirstPacket {
  InterfaceId in = kNoInterface;  // kGateway: the gateway's own packet
  FlowKey key;
  uint8_t tcp_flags = 0;
  uint8_t icmp_type = 0, icmp_code = 0;
  bool to_multicast_mac = false;           // Ethernet broadcast or multicast
  const Identities* identities = nullptr;  // who is logged in where; nullptr: nobody anywhere
};

// Of a parsed packet; `in` is kGateway for what the kernel sent.
FirstPacket first_of(const Packet& packet, InterfaceId in);

enum class Outcome : uint8_t {
  drop,            // with reason
  deny,            // with reason; the sender is told
  forward,         // to `out`
  host,            // to the gateway itself, or to its HTTP proxy (intercepted)
  host_broadcast,  // to the gateway itself, without a session
  hairpin,         // translate the source, then go round to `out`'s external address
};

enum class SourceNatKind : uint8_t { none, dynamic, one_to_one };

struct Decision {
  Outcome outcome = Outcome::drop;
  DropReason reason = DropReason::none;
  InterfaceId out = kNoInterface;
  Ipv4Address next_hop;
  uint16_t rule = kNoRule;                         // the rule that decided; kNoRule: the default
  FlowQuery query;                                 // as the filter saw it
  bool filtered = false;                           // the filter was asked (query is complete)
  bool intercepted = false;                        // permitted; the HTTP proxy answers, or nobody
  const ConfiguredMapping* destination = nullptr;  // destination NAT that applies
  SourceNatKind source_nat = SourceNatKind::none;
  const SourceRule* source_rule = nullptr;  // dynamic (or none by rule)
  const ConfiguredMapping* source_one_to_one = nullptr;
  Ipv4Address external_address;  // dynamic, one_to_one: the new source
};

// Whether a packet may begin a session (RFC 5382 REQ-2, RFC 5508): forged segments and replies do
// not, whatever the rules permit (F19).
bool may_open(const FirstPacket& packet);

// The rules with Action::next that matched on the way to the deciding one; for counting and
// logging. Caller's memory.
struct NextHits {
  uint16_t rules[kNextRulesMax];
  uint32_t count = 0;
};

// Thread: any. Pure. `hits` may be nullptr.
Decision decide(const Policy& policy, const FirstPacket& packet, NextHits* hits);

// A packet from outside that came in by a dynamic mapping of `internal`: judged as what it is the
// answer to, traffic of the mapping's internal host to that remote (ARCHITECTURE.md, "Filtering of
// mappings").
Decision decide_mapped_inbound(const Policy& policy, const FirstPacket& packet, Endpoint internal,
                               InterfaceId internal_interface, NextHits* hits);

// Whether a host inside that sends this to a configured mapping is seen by the server as it is: no
// hairpin, but one session. By the key alone, so that the answer is the same for all its packets.
// Thread: any. Pure.
bool keeps_source(const Policy& policy, const FlowKey& key, InterfaceId in);

// Second half of a hairpin: the packet, source translated, aims at an external endpoint with a
// configured mapping.
Decision decide_hairpin_inner(const Policy& policy, const FirstPacket& packet);

}  // namespace postern
