// SPDX-License-Identifier: BSD-3-Clause
// A node is 65536 (root) or 256 entries in `nodes_`. An entry is 0 (no route), a route's index + 1,
// or, with kChild set, the place of the node for the next byte of the address. A node starts as 256
// copies of the entry it replaces, so that a lookup never has to go back up.
#include "dataplane/policy/route_table.h"

#include <algorithm>

namespace postern {
namespace {

constexpr uint32_t kChild = RouteTable::kChild;
constexpr uint32_t kRootEntries = 65536;
constexpr uint32_t kNodeEntries = 256;

// The node below nodes[entry], made where there is none.
uint32_t descend(std::vector<uint32_t>& nodes, uint32_t entry) {
  uint32_t value = nodes[entry];
  if (value & kChild) return value & ~kChild;
  auto child = static_cast<uint32_t>(nodes.size());
  nodes.resize(nodes.size() + kNodeEntries, value);
  nodes[entry] = kChild | child;
  return child;
}

// Routes come in order of length, so all entries written over are those of shorter prefixes.
void insert(std::vector<uint32_t>& nodes, const Prefix& prefix, uint32_t value) {
  uint32_t address = prefix.network().number;
  uint32_t node = 0;
  uint32_t slot = address >> 16;
  unsigned end = 16;  // address bits consumed at the bottom of this node
  while (prefix.length > end) {
    node = descend(nodes, node + slot);
    end += 8;
    slot = address >> (32 - end) & 0xFF;
  }
  auto first = nodes.begin() + node + slot;
  std::fill(first, first + (1 << (end - prefix.length)), value);
}

}  // namespace

RouteTable::RouteTable(std::vector<Route> routes) {
  for (Route& route : routes)
    route.to.address = route.to.network();
  auto shorter_first = [](const Route& a, const Route& b) {
    return a.to.length != b.to.length ? a.to.length < b.to.length : a.to.address < b.to.address;
  };
  std::stable_sort(routes.begin(), routes.end(), shorter_first);
  for (const Route& route : routes) {
    if (!routes_.empty() && routes_.back().to == route.to) routes_.pop_back();
    routes_.push_back(route);
  }
  nodes_.assign(kRootEntries, 0);
  for (uint32_t i = 0; i < routes_.size(); ++i)
    insert(nodes_, routes_[i].to, i + 1);
}

}  // namespace postern
