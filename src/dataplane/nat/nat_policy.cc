// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/nat_policy.h"

#include <algorithm>
#include <tuple>

#include "dataplane/nat/port_pool.h"

namespace postern {
namespace {

bool matches(const SourceRule& rule, const FlowQuery& query) {
  return holds(rule.in, query.in) && holds(rule.out, query.out) &&
         rule.from.contains(query.source) && rule.to.contains(query.destination) &&
         matches_any(rule.services, query);
}

}  // namespace

void NatPolicy::seal() {
  std::sort(external_addresses.begin(), external_addresses.end(),
            [](const auto& a, const auto& b) { return a.address < b.address; });
  std::sort(reserved_ports.begin(), reserved_ports.end());
  port_maps_.clear();
  by_external_.clear();
  by_internal_.clear();
  for (uint32_t i = 0; i < mappings.size(); ++i) {
    if (mappings[i].one_to_one) {
      by_external_.push_back(i);
      by_internal_.push_back(i);
    } else {
      add_port_map(i);
    }
  }
  std::stable_sort(by_external_.begin(), by_external_.end(), [&](uint32_t a, uint32_t b) {
    return mappings[a].external < mappings[b].external;
  });
  std::stable_sort(by_internal_.begin(), by_internal_.end(), [&](uint32_t a, uint32_t b) {
    return mappings[a].internal < mappings[b].internal;
  });
  leave_out_ports();
}

void NatPolicy::leave_out_ports() {
  std::vector<bool> is_mapped(65536, false);
  for (const PortSegment& segment : port_maps_) {
    const ExternalAddress* external = find_external_address(segment.external);
    if (external == nullptr || !external->dynamic) continue;
    std::fill(is_mapped.begin() + segment.first, is_mapped.begin() + segment.last + 1, true);
  }
  auto mapped = std::count(is_mapped.begin() + first_port, is_mapped.begin() + last_port + 1, true);
  ports_left_out_ = reserved_ports;
  if (mapped > (last_port - first_port + 1) / 2) return;
  for (size_t port = 0; port < is_mapped.size(); ++port) {
    if (is_mapped[port]) ports_left_out_.push_back(static_cast<uint16_t>(port));
  }
  std::sort(ports_left_out_.begin(), ports_left_out_.end());
  auto repeated = std::unique(ports_left_out_.begin(), ports_left_out_.end());
  ports_left_out_.erase(repeated, ports_left_out_.end());
}

// Adds what of its range no earlier port map has.
void NatPolicy::add_port_map(uint32_t mapping) {
  const ConfiguredMapping& added = mappings[mapping];
  uint32_t next = added.first_external;
  while (next <= added.last_external) {
    auto at = std::lower_bound(
        port_maps_.begin(), port_maps_.end(), next, [&](const PortSegment& segment, uint32_t port) {
          return std::tuple(segment.external, segment.protocol, uint32_t{segment.last}) <
                 std::tuple(added.external, added.protocol, port);
        });
    bool is_neighbor =
        at != port_maps_.end() && at->external == added.external && at->protocol == added.protocol;
    if (is_neighbor && at->first <= next) {
      next = at->last + 1u;
      continue;
    }
    uint32_t last = added.last_external;
    if (is_neighbor) last = std::min(last, at->first - 1u);
    port_maps_.insert(at, {added.external, added.protocol, static_cast<uint16_t>(last),
                           static_cast<uint16_t>(next), mapping});
    next = last + 1;
  }
}

const NatPolicy::ExternalAddress* NatPolicy::find_external_address(Ipv4Address address) const {
  auto at = std::lower_bound(
      external_addresses.begin(), external_addresses.end(), address,
      [](const ExternalAddress& entry, Ipv4Address wanted) { return entry.address < wanted; });
  return at != external_addresses.end() && at->address == address ? &*at : nullptr;
}

const ConfiguredMapping* NatPolicy::find_destination(uint8_t protocol, Ipv4Address external,
                                                     uint16_t port) const {
  auto segment = std::lower_bound(port_maps_.begin(), port_maps_.end(), port,
                                  [&](const PortSegment& entry, uint16_t wanted) {
                                    return std::tuple(entry.external, entry.protocol, entry.last) <
                                           std::tuple(external, protocol, wanted);
                                  });
  if (segment != port_maps_.end() && segment->external == external &&
      segment->protocol == protocol && segment->first <= port) {
    return &mappings[segment->mapping];
  }
  auto at = std::lower_bound(
      by_external_.begin(), by_external_.end(), external,
      [&](uint32_t i, Ipv4Address wanted) { return mappings[i].external < wanted; });
  bool is_found = at != by_external_.end() && mappings[*at].external == external;
  return is_found ? &mappings[*at] : nullptr;
}

const ConfiguredMapping* NatPolicy::find_one_to_one(Ipv4Address internal, InterfaceId out) const {
  auto at = std::lower_bound(
      by_internal_.begin(), by_internal_.end(), internal,
      [&](uint32_t i, Ipv4Address wanted) { return mappings[i].internal < wanted; });
  for (; at != by_internal_.end() && mappings[*at].internal == internal; ++at) {
    const ConfiguredMapping& mapping = mappings[*at];
    if (mapping.on == kNoInterface || mapping.on == out) return &mapping;
  }
  return nullptr;
}

const SourceRule* NatPolicy::find_source_rule(const FlowQuery& query) const {
  auto at = std::find_if(source_rules.begin(), source_rules.end(),
                         [&](const SourceRule& rule) { return matches(rule, query); });
  return at != source_rules.end() ? &*at : nullptr;
}

Ipv4Address NatPolicy::address_for(const SourceRule& rule, Ipv4Address internal,
                                   InterfaceId out) const {
  switch (rule.action) {
    case SourceAction::none:
      return {};
    case SourceAction::masquerade:
      return out < masquerade_address.size() ? masquerade_address[out] : Ipv4Address{};
    case SourceAction::pool: {
      // RFC4787-REQ2: paired pooling, all mappings of a host have one external address.
      auto count = static_cast<uint32_t>(rule.pool.size());
      if (count == 0) return {};
      return rule.pool[ExternalPortPool::paired_index(internal, count)];
    }
  }
  return {};
}

bool NatPolicy::is_dynamic_port(uint16_t port) const {
  return first_port <= port && port <= last_port &&
         !std::binary_search(reserved_ports.begin(), reserved_ports.end(), port);
}

}  // namespace postern
