// SPDX-License-Identifier: BSD-3-Clause
// cold: built with a policy, off the packet path.
#include "dataplane/filter/rule_edges.h"

#include <algorithm>
#include <set>

namespace postern {
namespace {

constexpr uint64_t kNumbers = 65536;

// Both ends included.
struct Range {
  uint32_t first = 0, last = 0;
  friend constexpr auto operator<=>(const Range&, const Range&) = default;
};

std::vector<Range> merged(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<Range> result;
  for (const Range& range : ranges) {
    if (!result.empty() && range.first <= result.back().last + 1) {
      result.back().last = std::max(result.back().last, range.last);
    } else {
      result.push_back(range);
    }
  }
  return result;
}

void add_range(FieldEdges& field, size_t position, uint32_t first, uint64_t last) {
  field.edges.push_back({first, static_cast<uint32_t>(position), true});
  field.edges.push_back({last + 1, static_cast<uint32_t>(position), false});
}

// ICMP types and codes as type * 256 + code; what is beyond a byte matches nothing.
void add_icmp(const ServiceSpec& spec, std::vector<Range>& ranges) {
  if (spec.icmp_type > 255 || spec.icmp_code > 255) return;
  uint32_t first_type = spec.icmp_type < 0 ? 0 : static_cast<uint32_t>(spec.icmp_type);
  uint32_t last_type = spec.icmp_type < 0 ? 255 : first_type;
  for (uint32_t type = first_type; type <= last_type; ++type) {
    uint32_t first = type * 256, last = first + 255;
    if (spec.icmp_code >= 0) first = last = first + static_cast<uint32_t>(spec.icmp_code);
    ranges.push_back({first, last});
  }
}

// What one rule says of one protocol.
struct Ports {
  std::vector<Range> destination, source;
  bool is_product = true;
};

Ports ports_of(const Rule& rule, uint8_t protocol) {
  Ports ports;
  std::vector<Range>& destination = ports.destination;
  std::vector<Range>& source = ports.source;
  for (const ServiceSpec& spec : rule.services) {
    if (spec.protocol != protocol) continue;
    if (protocol == protocol::icmp) {
      add_icmp(spec, destination);
    } else if (!has_ports(protocol)) {
      destination.push_back({0, kNumbers - 1});
    } else if (spec.first_destination <= spec.last_destination &&
               spec.first_source <= spec.last_source) {
      destination.push_back({spec.first_destination, spec.last_destination});
      source.push_back({spec.first_source, spec.last_source});
    }
  }
  auto all_equal = [](const std::vector<Range>& ranges) {
    return std::all_of(ranges.begin(), ranges.end(),
                       [&](const Range& range) { return range == ranges[0]; });
  };
  ports.is_product = all_equal(source) || all_equal(destination);
  destination = merged(std::move(destination));
  source = merged(std::move(source));
  return ports;
}

bool is_unrestricted(const Rule& rule) {
  return rule.services.empty() ||
         std::any_of(rule.services.begin(), rule.services.end(),
                     [](const ServiceSpec& spec) { return spec.any_protocol; });
}

// A protocol that the rule does not name is refused by the destination alone, so the source field
// may leave it possible: full clusters cost nothing.
void add_ports(ServiceEdges& edges, uint8_t protocol, const Rule& rule, size_t position) {
  Ports ports = ports_of(rule, protocol);
  FieldEdges& destination = edges.destination[protocol];
  destination.restricts = true;
  for (const Range& range : ports.destination)
    add_range(destination, position, range.first, range.last);
  if (!ports.is_product) set_bit(edges.inexact, position);
  if (!has_ports(protocol)) return;
  FieldEdges& source = edges.source[protocol];
  if (ports.source.empty() || ports.source[0] == Range{0, kNumbers - 1}) {
    set_bit(source.always, position);
    return;
  }
  source.restricts = true;
  for (const Range& range : ports.source)
    add_range(source, position, range.first, range.last);
}

}  // namespace

FieldEdges address_edges(std::span<const Rule> rules, std::span<const uint16_t> order,
                         AddressSet Rule::*field) {
  FieldEdges result;
  result.always.resize((order.size() + kClusterRules - 1) / kClusterRules);
  for (size_t position = 0; position < order.size(); ++position) {
    const AddressSet& set = rules[order[position]].*field;
    if (set.any) {
      set_bit(result.always, position);
      continue;
    }
    result.restricts = true;
    for (const AddressRange& range : set.ranges)
      add_range(result, position, range.first.number, range.last.number);
  }
  return result;
}

ServiceEdges service_edges(std::span<const Rule> rules, std::span<const uint16_t> order) {
  ServiceEdges result;
  size_t clusters = (order.size() + kClusterRules - 1) / kClusterRules;
  result.unrestricted.resize(clusters);
  result.inexact.resize(clusters);
  std::set<uint8_t> protocols;
  for (uint16_t index : order) {
    for (const ServiceSpec& spec : rules[index].services)
      if (!spec.any_protocol) protocols.insert(spec.protocol);
  }
  for (size_t position = 0; position < order.size(); ++position) {
    if (is_unrestricted(rules[order[position]])) set_bit(result.unrestricted, position);
  }
  for (uint8_t protocol : protocols) {
    result.destination[protocol].always = result.unrestricted;
    if (has_ports(protocol)) result.source[protocol].always = result.unrestricted;
  }
  for (size_t position = 0; position < order.size(); ++position) {
    const Rule& rule = rules[order[position]];
    // F27: who it is is no field of the packet.
    if (!rule.users.all) set_bit(result.inexact, position);
    if (is_unrestricted(rule)) continue;
    for (uint8_t protocol : protocols)
      add_ports(result, protocol, rule, position);
  }
  return result;
}

}  // namespace postern
