// SPDX-License-Identifier: BSD-3-Clause
#include "control/compile/lower.h"

#include <algorithm>
#include <utility>

namespace postern::compiler {
namespace {

// Address ranges and services of all rules together. Each rule may have kMatchItemsMax of them; a
// short file in which thousands of rules name one long list must not take gigabytes.
constexpr size_t kPolicyEntriesMax = 2'000'000;  // 32 MB at most

ServiceSpec lowered(const config::ServiceMatch& match) {
  ServiceSpec spec;
  spec.any_protocol = match.any_protocol;
  spec.protocol = match.protocol;
  spec.first_destination = match.destination.first;
  spec.last_destination = match.destination.last;
  spec.first_source = match.source.first;
  spec.last_source = match.source.last;
  spec.icmp_type = static_cast<int16_t>(match.icmp_type);
  spec.icmp_code = static_cast<int16_t>(match.icmp_code);
  return spec;
}

}  // namespace

AddressSet set_of_ranges(std::vector<AddressRange> ranges) {
  std::sort(ranges.begin(), ranges.end());
  AddressSet set{{}, false};
  for (const AddressRange& range : ranges) {
    // In 64 bits, for the range that ends with the last address.
    bool joins =
        !set.ranges.empty() && range.first.number <= uint64_t{set.ranges.back().last.number} + 1;
    if (joins) {
      set.ranges.back().last = std::max(set.ranges.back().last, range.last);
    } else {
      set.ranges.push_back(range);
    }
  }
  constexpr AddressRange kAll{Ipv4Address(0), Ipv4Address(0xFFFFFFFF)};
  if (set.ranges.size() == 1 && set.ranges[0] == kAll) return AddressSet{};
  return set;
}

AddressSet complement_of(const AddressSet& set) {
  if (set.any) return {{}, false};
  std::vector<AddressRange> gaps;
  uint64_t next = 0;
  for (const AddressRange& range : set.ranges) {
    if (next < range.first.number) {
      gaps.push_back(
          {Ipv4Address(static_cast<uint32_t>(next)), Ipv4Address(range.first.number - 1)});
    }
    next = uint64_t{range.last.number} + 1;
  }
  if (next <= 0xFFFFFFFF) {
    gaps.push_back({Ipv4Address(static_cast<uint32_t>(next)), Ipv4Address(0xFFFFFFFF)});
  }
  return set_of_ranges(std::move(gaps));
}

Lowering::Lowering(const config::Model& model, const CompileInputs& inputs)
    : model_(model), inputs_(inputs), resolver_(model.objects) {
  for (const config::Interface& interface : model.interfaces) {
    if (!interface.enabled) continue;
    for (const Prefix& own : interface.addresses)
      own_.push_back({own.address, own.address});
  }
  std::sort(own_.begin(), own_.end());
}

InterfaceId Lowering::find_interface(const std::string& name) const {
  for (size_t i = 0; i < model_.interfaces.size(); ++i) {
    const config::Interface& interface = model_.interfaces[i];
    if (interface.enabled && interface.name == name) return static_cast<InterfaceId>(i);
  }
  return kNoInterface;
}

InterfaceId Lowering::find_network_of(Ipv4Address address) const {
  InterfaceId best = kNoInterface;
  int best_length = -1;
  for (size_t i = 0; i < model_.interfaces.size(); ++i) {
    if (!model_.interfaces[i].enabled) continue;
    for (const Prefix& own : model_.interfaces[i].addresses) {
      if (!own.contains(address) || own.length <= best_length) continue;
      best = static_cast<InterfaceId>(i);
      best_length = own.length;
    }
  }
  return best;
}

bool Lowering::is_own_address(Ipv4Address address) const {
  return std::binary_search(own_.begin(), own_.end(), AddressRange{address, address});
}

InterfaceSet Lowering::interfaces(const std::vector<std::string>& names) const {
  if (names.empty()) return kAnyInterface;
  InterfaceSet set = 0;
  for (const std::string& name : names) {
    if (name == "any") return kAnyInterface;
    if (name == "gateway") set |= set_of(kGateway);
    for (size_t i = 0; i < model_.interfaces.size(); ++i) {
      const config::Interface& interface = model_.interfaces[i];
      bool is_meant = interface.name == name || config::zone_word(interface.zone) == name;
      if (interface.enabled && is_meant) set |= set_of(static_cast<InterfaceId>(i));
    }
  }
  return set;
}

Result<void> Lowering::take(size_t entries) {
  entries_ += entries;
  if (entries_ <= kPolicyEntriesMax) return {};
  return Error{ErrorCode::exhausted, "the rules come to more than " +
                                         std::to_string(kPolicyEntriesMax) +
                                         " addresses and services after objects are resolved"};
}

Result<AddressSet> Lowering::addresses(const std::vector<std::string>& items) {
  if (items.empty()) return AddressSet{};
  std::vector<std::string> others;
  bool with_gateway = false;
  for (const std::string& item : items) {
    if (item == "gateway") {
      with_gateway = true;
    } else {
      others.push_back(item);
    }
  }
  auto ranges = resolver_.addresses(others);
  if (!ranges) return std::move(ranges).error();
  if (with_gateway) ranges->insert(ranges->end(), own_.begin(), own_.end());
  if (auto taken = take(ranges->size()); !taken) return taken.error();
  return set_of_ranges(std::move(ranges).value());
}

Result<std::vector<ServiceSpec>> Lowering::services(const std::vector<std::string>& items) {
  auto resolved = resolver_.services(items);
  if (!resolved) return std::move(resolved).error();
  if (auto taken = take(resolved->size()); !taken) return taken.error();
  std::vector<ServiceSpec> specs;
  for (const config::ServiceMatch& match : *resolved) {
    if (match.any_protocol) return std::vector<ServiceSpec>{};
    specs.push_back(lowered(match));
  }
  return specs;
}

Result<bool> Lowering::holds_now(const std::vector<std::string>& times) {
  if (times.empty()) return true;
  auto intervals = resolver_.times(times);
  if (!intervals) return std::move(intervals).error();
  uint32_t now = inputs_.minute_of_week;
  return std::any_of(intervals->begin(), intervals->end(), [now](const config::WeekInterval& week) {
    return week.first <= now && now < week.last;
  });
}

}  // namespace postern::compiler
