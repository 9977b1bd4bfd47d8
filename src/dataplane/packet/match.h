// SPDX-License-Identifier: BSD-3-Clause
// What NAT rules and filter rules match on: interfaces, address sets, services, people, and the
// query made from the first packet of a flow. Pure; thread: any.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/address.h"
#include "dataplane/packet/flow_key.h"
#include "dataplane/packet/packet.h"

namespace postern {

// Bit i: interface i; bit kGateway: the gateway itself.
using InterfaceSet = uint64_t;
constexpr InterfaceSet kAnyInterface = ~InterfaceSet{0};
constexpr InterfaceSet set_of(InterfaceId id) {
  return InterfaceSet{1} << id;
}

constexpr bool holds(InterfaceSet set, InterfaceId id) {
  return set == kAnyInterface || (id < 64 && (set & set_of(id)) != 0);
}

constexpr uint16_t kNoRule = 0xFFFF;  // index of no rule

// Sorted, disjoint ranges.
struct AddressSet {
  std::vector<AddressRange> ranges;  // empty and !any: matches nothing
  bool any = true;
  bool contains(Ipv4Address address) const;
};

struct ServiceSpec {
  bool any_protocol = false;
  uint8_t protocol = 0;
  uint16_t first_destination = 0, last_destination = 65535;  // host order
  uint16_t first_source = 0, last_source = 65535;
  int16_t icmp_type = -1, icmp_code = -1;  // -1: any
};

// A user or a group (control/compile/subjects.h makes the number of its name).
using SubjectId = uint64_t;

// Who is logged in at an address.
struct Identity {
  SubjectId user = 0;
  std::span<const SubjectId> groups;  // the user is in
};

// F27: whom a rule is for.
struct UserSet {
  bool all = true;                           // also traffic of nobody known
  bool anybody = false;                      // whoever is logged in
  std::vector<SubjectId> subjects;           // sorted: users and groups
  bool contains(const Identity* who) const;  // nullptr: nobody is logged in there
};

// What a NAT or filter decision is made from: the first packet of a flow.
struct FlowQuery {
  InterfaceId in = kNoInterface, out = kNoInterface;  // interface or kGateway
  Ipv4Address source, destination;                    // inside addresses
  Ipv4Address original_destination;  // before destination NAT; equal where there was none
  const Identity* who = nullptr;     // at `source`; looked up where a rule asks for users
  uint16_t source_port = 0, destination_port = 0;  // host order; 0 without ports
  uint8_t protocol = 0;
  uint8_t tcp_flags = 0;
  uint8_t icmp_type = 0, icmp_code = 0;
  bool translated = false;   // a configured mapping leads to `destination`
  bool established = false;  // TCP only: the packet is not an opening one
};

bool matches(const ServiceSpec& service, const FlowQuery& query);
// An empty list matches every service.
bool matches_any(const std::vector<ServiceSpec>& services, const FlowQuery& query);

}  // namespace postern
