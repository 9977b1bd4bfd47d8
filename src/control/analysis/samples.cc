// SPDX-License-Identifier: BSD-3-Clause
#include "control/analysis/samples.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "control/compile/schedule.h"

namespace postern::analysis {

Samples::Samples(const Ruleset& rules, const std::vector<Item>& items) : items_(items) {
  std::vector<Rule> copies;
  copies.reserve(rules.size());
  const RangeSet week(0, kMinutesPerWeek - 1);
  for (size_t i = 0; i < rules.size(); ++i) {
    Rule& rule = copies.emplace_back(rules.at(static_cast<uint16_t>(i)));
    rule.enabled = !items[i].regions.empty() && !items[i].passes_on;
    has_times_.push_back(
        std::any_of(items[i].regions.begin(), items[i].regions.end(),
                    [&](const Region& region) { return !region[Number::minute].contains(week); }));
  }
  always_ = Ruleset(std::move(copies), Posture::normal, false);
  always_.compile();
}

uint32_t Samples::draw(const RangeSet& set) {
  const Range range = set.at(random_() % set.size());
  const uint64_t span = uint64_t{range.last} - range.first + 1;
  return range.first + static_cast<uint32_t>(random_() % span);
}

// One of the bits that are set.
uint8_t Samples::draw(uint64_t bits) {
  for (auto skipped = random_() % static_cast<unsigned>(std::popcount(bits)); skipped > 0;
       --skipped)
    bits &= bits - 1;
  return static_cast<uint8_t>(std::countr_zero(bits));
}

FlowQuery Samples::draw(const Region& region) {
  FlowQuery query;
  query.in = draw(region[Choice::in]);
  query.out = draw(region[Choice::out]);
  query.source = Ipv4Address(draw(region[Number::from]));
  query.destination = Ipv4Address(draw(region[Number::to]));
  query.original_destination = Ipv4Address(draw(region[Number::original]));
  query.protocol = static_cast<uint8_t>(draw(region[Number::protocol]));
  query.translated = 1u << draw(region[Choice::mapped]) == kMapped;
  if (query.protocol == protocol::icmp) {
    query.icmp_type = static_cast<uint8_t>(draw(region[Number::port]));
    query.icmp_code = static_cast<uint8_t>(draw(region[Number::second_port]));
  } else if (has_ports(query.protocol)) {
    query.destination_port = static_cast<uint16_t>(draw(region[Number::port]));
    query.source_port = static_cast<uint16_t>(draw(region[Number::second_port]));
  }
  query.established =
      query.protocol == protocol::tcp && 1u << draw(region[Choice::tcp]) == kEstablished;
  return query;
}

Samples::Shown Samples::show(size_t item) {
  Shown shown;
  const Item& mine = items_[item];
  // In posture cut_off others are in force, so that a sample says nothing of it.
  for (int i = 0; i < kSamples && !mine.regions.empty(); ++i) {
    const Region& region = mine.regions[random_() % mine.regions.size()];
    if ((region[Choice::posture] & kNormal) == 0) continue;
    const FlowQuery query = draw(region);
    const uint16_t first = always_.find_first(query);
    if (first < item) continue;
    shown.is_reached = true;
    if (mine.passes_on) return shown;
    const uint16_t next = always_.find_first(query, static_cast<uint16_t>(item + 1));
    const bool differs = next == kNoRule || items_[next].effect != mine.effect;
    const bool is_sure = next == kNoRule || !has_times_[next] || !has_times_[item];
    shown.is_needed = differs && is_sure;
    if (shown.is_needed) return shown;
  }
  return shown;
}

std::vector<size_t> Samples::deciding_before(size_t item, const Region& region) {
  std::vector<size_t> found;
  const FlowQuery query = draw(region);
  uint16_t at = always_.find_first(query);
  while (at < item && found.size() < kDecidingMax) {
    found.push_back(at);
    at = always_.find_first(query, static_cast<uint16_t>(at + 1));
  }
  return found;
}

}  // namespace postern::analysis
