// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/resolve.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "base/limits.h"
#include "control/config/items.h"
#include "control/config/report.h"

namespace postern::config {
namespace {

constexpr size_t kFlatEntriesMax = 1'000'000;  // of all objects of one kind: 20 MB at most

Error exhausted() {
  return {ErrorCode::exhausted,
          "more than " + std::to_string(kMatchItemsMax) + " entries after objects are resolved"};
}

// Sorts and joins ranges that touch or overlap.
void tidy(std::vector<AddressRange>& ranges) {
  std::sort(ranges.begin(), ranges.end());
  size_t kept = 0;
  for (const AddressRange& range : ranges) {
    if (kept > 0 && uint64_t{range.first.number} <= uint64_t{ranges[kept - 1].last.number} + 1) {
      ranges[kept - 1].last = std::max(ranges[kept - 1].last, range.last);
    } else {
      ranges[kept++] = range;
    }
  }
  ranges.resize(kept);
}

void tidy(std::vector<WeekInterval>& intervals) {
  std::sort(intervals.begin(), intervals.end(), [](const WeekInterval& a, const WeekInterval& b) {
    return std::pair(a.first, a.last) < std::pair(b.first, b.last);
  });
  size_t kept = 0;
  for (const WeekInterval& interval : intervals) {
    if (kept > 0 && interval.first <= intervals[kept - 1].last) {
      intervals[kept - 1].last = std::max(intervals[kept - 1].last, interval.last);
    } else {
      intervals[kept++] = interval;
    }
  }
  intervals.resize(kept);
}

// Sorts and removes repetitions; ranges of ports are not joined, so that a rule prints as written.
void tidy(std::vector<ServiceMatch>& matches) {
  auto key = [](const ServiceMatch& m) {
    return std::tuple(!m.any_protocol, m.protocol, m.destination.first, m.destination.last,
                      m.source.first, m.source.last, m.icmp_type, m.icmp_code);
  };
  std::sort(matches.begin(), matches.end(),
            [&](const ServiceMatch& a, const ServiceMatch& b) { return key(a) < key(b); });
  matches.erase(std::unique(matches.begin(), matches.end()), matches.end());
}

Result<std::vector<AddressRange>> parse_literal(std::string_view text, AddressRange*) {
  auto range = parse_address_literal(text);
  if (!range) return std::move(range).error();
  return std::vector{*range};
}
Result<std::vector<ServiceMatch>> parse_literal(std::string_view text, ServiceMatch*) {
  return parse_service_literal(text);
}
Result<std::vector<WeekInterval>> parse_literal(std::string_view text, WeekInterval*) {
  return parse_time_literal(text);
}

// The objects of one kind, with what each comes to once it was asked for.
template <typename T>
class Kind {
 public:
  using IsKeyword = bool (*)(std::string_view);

  Kind(const std::vector<Object>& objects, IsKeyword is_keyword)
      : objects_(objects), is_keyword_(is_keyword), order_(objects.size()) {
    for (size_t i = 0; i < order_.size(); ++i)
      order_[i] = i;
    std::sort(order_.begin(), order_.end(),
              [&](size_t a, size_t b) { return objects[a].name < objects[b].name; });
  }

  Result<std::vector<T>> flatten(const std::vector<std::string>& items, size_t depth = 0) {
    if (items.size() == 1) return flatten_item(items[0], depth);
    std::vector<T> all;
    for (const std::string& item : items) {
      auto part = flatten_item(item, depth);
      if (!part) return std::move(part).error();
      all.insert(all.end(), part->begin(), part->end());
      if (all.size() > kMatchItemsMax) tidy(all);
      if (all.size() > kMatchItemsMax) return exhausted();
    }
    tidy(all);
    return all;
  }

  Result<void> check(const std::vector<std::string>& items) {
    size_t entries = 0;  // at most; items may repeat each other
    for (const std::string& item : items) {
      if (!is_object(item)) {
        auto literal = parse_literal(item, static_cast<T*>(nullptr));
        if (!literal) return std::move(literal).error();
        entries += literal->size();
        continue;
      }
      auto flat = flatten_object(item, 0);
      if (!flat) return std::move(flat).error();
      entries += (*flat)->size();
    }
    if (entries <= kMatchItemsMax) return {};
    auto all = flatten(items);
    if (!all) return std::move(all).error();
    return {};
  }

 private:
  bool is_object(const std::string& item) const { return is_name(item) && !is_keyword_(item); }

  Result<std::vector<T>> flatten_item(const std::string& item, size_t depth) {
    if (is_object(item)) {
      auto flat = flatten_object(item, depth);
      if (!flat) return std::move(flat).error();
      return **flat;
    }
    auto literal = parse_literal(item, static_cast<T*>(nullptr));
    if (literal) tidy(*literal);
    return literal;
  }

  // The result lives as long as this.
  Result<const std::vector<T>*> flatten_object(const std::string& name, size_t depth) {
    auto found = std::lower_bound(
        order_.begin(), order_.end(), name,
        [&](size_t i, const std::string& text) { return objects_[i].name < text; });
    if (found == order_.end() || objects_[*found].name != name) {
      return Error{ErrorCode::not_found, "unknown name " + quote(name)};
    }
    if (depth == kObjectDepthMax) {
      return Error{ErrorCode::invalid, quote(name) + " is nested too deep or contains itself"};
    }
    if (done_.empty()) done_.resize(objects_.size());
    std::optional<std::vector<T>>& done = done_[*found];
    if (!done) {
      auto flat = flatten(objects_[*found].items, depth + 1);
      if (!flat) return std::move(flat).error().within(name);
      done_entries_ += flat->size();
      if (done_entries_ > kFlatEntriesMax) {
        return Error{ErrorCode::exhausted, "objects come to more than 1,000,000 entries together"};
      }
      done = std::move(flat).value();
    }
    return &*done;
  }

  const std::vector<Object>& objects_;
  IsKeyword is_keyword_;
  std::vector<size_t> order_;                        // objects_ by name
  std::vector<std::optional<std::vector<T>>> done_;  // as objects_
  size_t done_entries_ = 0;
};

}  // namespace

const char* zone_word(Zone zone) {
  switch (zone) {
    case Zone::external:
      return "external";
    case Zone::internal:
      return "internal";
    case Zone::dmz:
      return "dmz";
  }
  return "";
}

std::optional<Zone> find_zone(std::string_view word) {
  for (Zone zone : kZones) {
    if (word == zone_word(zone)) return zone;
  }
  return std::nullopt;
}

struct Resolver::Kinds {
  Kind<AddressRange> addresses;
  Kind<ServiceMatch> services;
  Kind<WeekInterval> times;
};

Resolver::Resolver(const Objects& objects)
    : kinds_(new Kinds{{objects.addresses, is_address_keyword},
                       {objects.services, is_service_keyword},
                       {objects.times, is_time_keyword}}) {}
Resolver::~Resolver() = default;

Result<std::vector<AddressRange>> Resolver::addresses(const std::vector<std::string>& items) {
  return kinds_->addresses.flatten(items);
}
Result<std::vector<ServiceMatch>> Resolver::services(const std::vector<std::string>& items) {
  return kinds_->services.flatten(items);
}
Result<std::vector<WeekInterval>> Resolver::times(const std::vector<std::string>& items) {
  return kinds_->times.flatten(items);
}
Result<void> Resolver::check_addresses(const std::vector<std::string>& items) {
  return kinds_->addresses.check(items);
}
Result<void> Resolver::check_services(const std::vector<std::string>& items) {
  return kinds_->services.check(items);
}

Result<std::vector<AddressRange>> resolve_addresses(const Objects& objects,
                                                    const std::vector<std::string>& items) {
  return Kind<AddressRange>(objects.addresses, is_address_keyword).flatten(items);
}
Result<std::vector<ServiceMatch>> resolve_services(const Objects& objects,
                                                   const std::vector<std::string>& items) {
  return Kind<ServiceMatch>(objects.services, is_service_keyword).flatten(items);
}
Result<std::vector<WeekInterval>> resolve_times(const Objects& objects,
                                                const std::vector<std::string>& items) {
  return Kind<WeekInterval>(objects.times, is_time_keyword).flatten(items);
}

}  // namespace postern::config
