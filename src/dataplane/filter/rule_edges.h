// SPDX-License-Identifier: BSD-3-Clause
// What a rule says of one field, as ranges in which it is possible: the classifier builds its rows
// from these. Thread: control.
//
// cold: built with a policy, off the packet path.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "dataplane/filter/bit_rows.h"
#include "dataplane/filter/rule.h"

namespace postern {

// One field over all rules: those that it does not restrict, and where the others begin and end.
struct FieldEdges {
  std::vector<uint64_t> always;
  std::vector<RowEdge> edges;
  bool restricts = false;  // some rule is restricted
};

// The services of all rules, taken apart by protocol. The destination field is the destination
// port, or type and code of ICMP; protocols without a number have 0 for it.
struct ServiceEdges {
  std::vector<uint64_t> unrestricted;         // rules for every protocol and port
  std::map<uint8_t, FieldEdges> destination;  // by protocol that some rule names
  std::map<uint8_t, FieldEdges> source;       // of TCP and UDP, where some rule restricts it
  // Rules for pairs of ports that are no product of a source and a destination set: what the two
  // fields leave possible is more than the rule says.
  std::vector<uint64_t> inexact;
};

// `order` names the rule of each position.
FieldEdges address_edges(std::span<const Rule> rules, std::span<const uint16_t> order,
                         AddressSet Rule::*field);
ServiceEdges service_edges(std::span<const Rule> rules, std::span<const uint16_t> order);

}  // namespace postern
