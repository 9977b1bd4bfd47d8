// SPDX-License-Identifier: BSD-3-Clause
// Policy: the compiled configuration that workers read. Immutable once published but for the rule
// counters, which each worker writes in its own array. No pointer back to the model.
//
// control/compile/policy_text.h prints it, for golden tests and `postern show`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "dataplane/filter/ruleset.h"
#include "dataplane/nat/nat_policy.h"
#include "dataplane/nat/session.h"
#include "dataplane/nat/shards.h"
#include "dataplane/packet/counters.h"
#include "dataplane/packet/flow_record.h"
#include "dataplane/policy/interception.h"
#include "dataplane/policy/route_table.h"
#include "dataplane/table/table_memory.h"

namespace postern {

enum class Zone : uint8_t { external, internal, dmz };

struct PolicyInterface {
  std::string name;
  Zone zone = Zone::internal;
  MacAddress mac = {};
  uint16_t mtu = 1500;
  uint16_t mss_max = 0;               // clamp for TCP leaving or entering here; 0: off
  std::vector<Prefix> addresses;      // host bits kept
  AddressSet spoof_allow{{}, false};  // sources accepted beyond the routes (F26)
  bool asks_dhcp = false;             // its address comes from a DHCP server, heard before that
  bool exists = false;                // ids of disabled interfaces stay unused
};

class Policy {
 public:
  uint32_t generation = 0;                  // from 1, grows with every publication
  Shards shards;                            // who owns what among the workers
  std::vector<PolicyInterface> interfaces;  // by InterfaceId
  RouteTable routes;  // connected networks, own addresses (kGateway), static routes
  Ruleset rules;
  NatPolicy nat;
  Interception interception;
  Timeouts timeouts;
  // It may be taken back: TCP sessions that it does not allow stay, though nothing of them passes.
  bool is_on_trial = false;
  FlowExport flow_export;

  // --- questions; thread: any
  bool is_own_address(Ipv4Address address) const;  // of any interface
  // Limited, or directed to a connected network.
  bool is_local_broadcast(Ipv4Address address) const;
  // Whether packets from `source` may come in by `in`: its best route leads there, or spoof_allow
  // holds it (not for inside networks on an external interface); addresses that are ours or that
  // stand for inside hosts never (RFC 3704 strict, F26), and nothing by an interface that waits for
  // its address.
  bool may_come_from(Ipv4Address source, InterfaceId in) const;
  // Whether the gateway answers ARP requests for `address` seen on `on`.
  bool answers_arp(Ipv4Address address, InterfaceId on) const;
  // The gateway's own source address towards `destination` leaving by `out` (for ICMP errors and
  // ARP).
  Ipv4Address source_on(InterfaceId out, Ipv4Address destination) const;

  // --- counters, worker: write, control: read. One array a worker, one entry a rule.
  mutable std::vector<TableArray<RuleCounters>> rule_counters;
  // By the compiler: an array for each worker, of rules.size() + 1 (the last: default).
  void allocate_counters();
};

}  // namespace postern
