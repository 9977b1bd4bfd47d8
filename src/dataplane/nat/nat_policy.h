// SPDX-License-Identifier: BSD-3-Clause
// NatPolicy: the compiled NAT part of a policy. Immutable; pure functions; no state of sessions.
//
// Destination side: configured mappings (port maps and one-to-one), found by the external endpoint.
// Source side: one-to-one by internal address, then the ordered source rules, first match wins
// (F09). External addresses are those that stand for inside hosts: one-to-one addresses, pool
// addresses, the interface addresses that masquerade, and addresses with port maps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "dataplane/nat/mapping.h"
#include "dataplane/packet/flow_key.h"
#include "dataplane/packet/match.h"
#include "dataplane/packet/packet.h"

namespace postern {

enum class SourceAction : uint8_t { none, masquerade, pool };

struct SourceRule {
  std::string name;
  uint32_t line = 0;  // in the configuration
  InterfaceSet in = kAnyInterface, out = kAnyInterface;
  AddressSet from, to;
  std::vector<ServiceSpec> services;
  SourceAction action = SourceAction::none;
  std::vector<Ipv4Address> pool;  // pool: its addresses; masquerade: empty (see masquerade_address)
  MappingBehavior mapping = MappingBehavior::endpoint_independent;
  FilteringBehavior filtering = FilteringBehavior::address_and_port_dependent;
  bool log = false;
};

// A port map for one external address and one protocol, or a one-to-one address (all protocols).
struct ConfiguredMapping {
  std::string name;
  uint32_t line = 0;
  bool one_to_one = false;
  InterfaceId on = kNoInterface;
  Ipv4Address external, internal;
  uint8_t protocol = 0;                            // port maps: TCP or UDP
  uint16_t first_external = 0, last_external = 0;  // host order
  uint16_t first_internal = 0;                     // inside port of first_external
  bool to_gateway = false;                         // `internal` is an address of the gateway itself
  bool keep_source = false;                        // hairpin: the inside source is not rewritten
  bool log = false;

  Endpoint internal_endpoint(uint16_t external_port) const {
    return {internal, one_to_one
                          ? external_port
                          : static_cast<uint16_t>(first_internal + external_port - first_external)};
  }
};

class NatPolicy {
 public:
  // --- filled by the compiler, then immutable
  std::vector<SourceRule> source_rules;
  std::vector<ConfiguredMapping> mappings;
  struct ExternalAddress {
    Ipv4Address address;
    InterfaceId on = kNoInterface;
    bool dynamic = false;      // masquerade or pool: dynamic mappings live on it
    bool answers_arp = false;  // not an interface address: the gateway answers ARP for it
  };
  std::vector<ExternalAddress> external_addresses;  // sorted by address
  std::vector<Ipv4Address> masquerade_address;      // by interface; unspecified: none
  uint16_t first_port = 1024, last_port = 65535;
  std::vector<uint16_t> reserved_ports;  // sorted
  bool hairpin = true;
  // Sorts what has to be sorted and builds the indexes below; call once after filling.
  void seal();

  // --- questions; thread: any
  const ExternalAddress* find_external_address(Ipv4Address address) const;
  // The mapping that takes packets to this external endpoint; port maps before one-to-one, and of
  // several that hold the port the one listed first.
  const ConfiguredMapping* find_destination(uint8_t protocol, Ipv4Address external,
                                            uint16_t port) const;
  // The one-to-one mapping of an inside host on the way out of `out`.
  const ConfiguredMapping* find_one_to_one(Ipv4Address internal, InterfaceId out) const;
  // First source rule that matches, or nullptr (no translation).
  const SourceRule* find_source_rule(const FlowQuery& query) const;
  // The external address that `rule` gives to `internal` on `out` (paired pooling). Unspecified:
  // none.
  Ipv4Address address_for(const SourceRule& rule, Ipv4Address internal, InterfaceId out) const;
  // What dynamic mappings leave out, sorted: reserved ports, and those of port maps on addresses
  // that they share, so that the worker of a map and that of a mapping never have to share a port.
  // Port maps that would take more than half of the range are left out of this.
  const std::vector<uint16_t>& ports_left_out() const { return ports_left_out_; }
  // Whether dynamic mappings may use this port: in range and not reserved.
  bool is_dynamic_port(uint16_t port) const;

 private:
  // Ports of one external address and protocol that belong to one port map. Disjoint and sorted.
  struct PortSegment {
    Ipv4Address external;
    uint8_t protocol = 0;
    uint16_t last = 0, first = 0;
    uint32_t mapping = 0;
  };
  void add_port_map(uint32_t mapping);
  void leave_out_ports();

  std::vector<PortSegment> port_maps_;
  std::vector<uint16_t> ports_left_out_;
  // One-to-one mappings, sorted by one of their addresses and then as listed.
  std::vector<uint32_t> by_external_, by_internal_;
};

}  // namespace postern
