// SPDX-License-Identifier: BSD-3-Clause
// The distributions of the ClassBench seeds fw1 and acl1, as published in their parameter files,
// rounded. Weights need not sum up to one.
#pragma once

#include <cstdint>
#include <span>

namespace postern::test {

// any; 0..1023 does not occur; 1024..65535; a range; one port.
enum class PortClass : uint8_t { any, high, range, exact };

struct PrefixLengths {
  double weight;
  uint8_t source, destination;
};

// Rules of one class of port pairs: how long their prefixes are.
struct PortPair {
  uint8_t protocol;
  double weight;
  PortClass source, destination;
  std::span<const PrefixLengths> lengths;
};

struct Port {
  double weight;
  uint16_t first, last;
};

// Of one level of the prefix tree: how often a node has two children, and how much the heavier one
// outweighs the other there.
struct Branching {
  double two_children, skew;
};

struct SeedFigures {
  std::span<const PortPair> pairs;
  std::span<const Port> source_ports, destination_ports, ranges;
  std::span<const Branching, 33> source, destination;  // by level
  std::span<const double, 32> correlation;  // that the bit after i equal ones is equal as well
  double opening, established;              // of the TCP rules
};

extern const SeedFigures kFw1, kAcl1;

}  // namespace postern::test
