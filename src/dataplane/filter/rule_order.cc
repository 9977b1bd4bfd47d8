// SPDX-License-Identifier: BSD-3-Clause
// cold: built with a policy, off the packet path.
#include "dataplane/filter/rule_order.h"

#include <algorithm>
#include <tuple>

#include "dataplane/filter/bit_rows.h"

namespace postern {
namespace {

// How much of a field's values a rule takes, the values weighed by how many rules tell them apart.
enum class Extent : uint8_t { narrow, middle, wide };

constexpr size_t kNarrowMax = 4;     // values
constexpr size_t kWideFraction = 8;  // of all values

class Extents {
 public:
  Extents(std::span<const Rule> rules, std::span<const uint16_t> in_force, AddressSet Rule::*field)
      : field_(field) {
    for (uint16_t index : in_force) {
      for (const AddressRange& range : (rules[index].*field).ranges)
        firsts_.push_back(range.first.number);
    }
    std::sort(firsts_.begin(), firsts_.end());
    firsts_.erase(std::unique(firsts_.begin(), firsts_.end()), firsts_.end());
  }

  Extent of(const Rule& rule) const {
    const AddressSet& set = rule.*field_;
    if (set.any) return Extent::wide;
    size_t values = 0;
    for (const AddressRange& range : set.ranges) {
      auto begin = std::lower_bound(firsts_.begin(), firsts_.end(), range.first.number);
      auto end = std::upper_bound(firsts_.begin(), firsts_.end(), range.last.number);
      values += static_cast<size_t>(end - begin);
    }
    if (values <= kNarrowMax) return Extent::narrow;
    return values * kWideFraction < firsts_.size() ? Extent::middle : Extent::wide;
  }
  size_t values() const { return firsts_.size(); }

 private:
  AddressSet Rule::*field_;
  std::vector<uint32_t> firsts_;
};

uint32_t first_of(const AddressSet& set) {
  return set.any || set.ranges.empty() ? 0 : set.ranges[0].first.number;
}

uint32_t first_service(const Rule& rule) {
  if (rule.services.empty() || rule.services[0].any_protocol) return 0;
  const ServiceSpec& spec = rule.services[0];
  uint32_t number = spec.protocol == protocol::icmp ? static_cast<uint8_t>(spec.icmp_type)
                                                    : spec.first_destination;
  return uint32_t{spec.protocol} << 16 | number;
}

// Rules are sorted by this: first by the extents, then by the narrower and more telling address.
using SortKey = std::tuple<Extent, Extent, uint32_t, uint32_t, uint32_t, uint16_t>;

SortKey key_of(uint16_t index, const Rule& rule, const Extents& from, const Extents& to) {
  Extent source = from.of(rule), destination = to.of(rule);
  uint32_t a = destination == Extent::wide ? 0 : first_of(rule.to);
  uint32_t b = source == Extent::wide ? 0 : first_of(rule.from);
  bool source_first = source != destination ? source < destination : from.values() > to.values();
  if (source_first) std::swap(a, b);
  return {source, destination, a, b, first_service(rule), index};
}

}  // namespace

std::vector<uint16_t> clustered(std::span<const Rule> rules, std::vector<uint16_t> in_force) {
  Extents from(rules, in_force, &Rule::from), to(rules, in_force, &Rule::to);
  std::vector<SortKey> keys;
  keys.reserve(in_force.size());
  for (uint16_t index : in_force)
    keys.push_back(key_of(index, rules[index], from, to));
  std::sort(keys.begin(), keys.end());

  std::vector<std::vector<uint16_t>> clusters;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i % kClusterRules == 0) clusters.emplace_back();
    clusters.back().push_back(std::get<5>(keys[i]));
  }
  for (auto& cluster : clusters)
    std::sort(cluster.begin(), cluster.end());
  // Only the last cluster may be short, so that a rule's position follows from its cluster.
  auto movable = clusters.empty() ? clusters.end() : clusters.end() - 1;
  std::sort(clusters.begin(), movable);
  in_force.clear();
  for (const auto& cluster : clusters)
    in_force.insert(in_force.end(), cluster.begin(), cluster.end());
  return in_force;
}

}  // namespace postern
