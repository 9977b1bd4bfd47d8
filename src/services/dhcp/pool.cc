// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/pool.h"

#include <algorithm>
#include <bit>

namespace postern::dhcp {
namespace {

// `ranges` without what is in `hole`.
std::vector<AddressRange> without(const std::vector<AddressRange>& ranges, AddressRange hole) {
  std::vector<AddressRange> left;
  for (const AddressRange& range : ranges) {
    if (hole.last < range.first || range.last < hole.first) {
      left.push_back(range);
      continue;
    }
    if (range.first < hole.first) {
      left.push_back({range.first, Ipv4Address(hole.first.number - 1)});
    }
    if (hole.last < range.last) left.push_back({Ipv4Address(hole.last.number + 1), range.last});
  }
  return left;
}

std::vector<AddressRange> sorted_and_joined(std::vector<AddressRange> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<AddressRange> joined;
  for (const AddressRange& range : ranges) {
    if (!joined.empty() && range.first <= joined.back().last) {
      joined.back().last = std::max(joined.back().last, range.last);
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

}  // namespace

Pool::Pool(const Scope& scope) {
  std::vector<AddressRange> ranges = sorted_and_joined(scope.ranges);
  for (const AddressRange& hole : scope.excluded)
    ranges = without(ranges, hole);
  for (const Reservation& reservation : scope.reservations)
    ranges = without(ranges, {reservation.address, reservation.address});
  ranges = without(ranges, {scope.server, scope.server});
  if (scope.subnet.length < 31) {
    ranges = without(ranges, {scope.subnet.network(), scope.subnet.network()});
    ranges = without(ranges, {scope.subnet.last(), scope.subnet.last()});
  }
  for (const AddressRange& range : ranges) {
    size_t count = size_t{range.last.number} - range.first.number + 1;
    count = std::min(count, kPoolMax - size_);
    if (count == 0) break;
    pieces_.push_back(
        {{range.first, Ipv4Address(range.first.number + static_cast<uint32_t>(count - 1))},
         static_cast<uint32_t>(size_)});
    size_ += count;
  }
  taken_.resize((size_ + 63) / 64);
}

void Pool::take(Ipv4Address address) {
  auto place = place_of(address);
  if (!place) return;
  uint64_t bit = uint64_t{1} << (*place % 64);
  if ((taken_[*place / 64] & bit) == 0) ++taken_count_;
  taken_[*place / 64] |= bit;
}

void Pool::give_back(Ipv4Address address) {
  auto place = place_of(address);
  if (!place) return;
  uint64_t bit = uint64_t{1} << (*place % 64);
  if ((taken_[*place / 64] & bit) != 0) --taken_count_;
  taken_[*place / 64] &= ~bit;
}

std::optional<Ipv4Address> Pool::find_fresh(uint64_t hash) const {
  if (taken_count_ == size_) return std::nullopt;
  auto start = static_cast<uint32_t>(hash % size_);
  auto place = find_zero(start, static_cast<uint32_t>(size_));
  if (!place) place = find_zero(0, start);
  if (!place) return std::nullopt;
  return address_at(*place);
}

std::optional<Ipv4Address> Pool::find_longest_idle() const {
  if (idle_.empty()) return std::nullopt;
  return Ipv4Address(idle_.begin()->second);
}

std::optional<uint32_t> Pool::place_of(Ipv4Address address) const {
  auto after =
      std::upper_bound(pieces_.begin(), pieces_.end(), address,
                       [](Ipv4Address a, const Piece& piece) { return a < piece.range.first; });
  if (after == pieces_.begin()) return std::nullopt;
  const Piece& piece = *(after - 1);
  if (piece.range.last < address) return std::nullopt;
  return piece.start + (address.number - piece.range.first.number);
}

Ipv4Address Pool::address_at(uint32_t place) const {
  auto after = std::upper_bound(pieces_.begin(), pieces_.end(), place,
                                [](uint32_t p, const Piece& piece) { return p < piece.start; });
  const Piece& piece = *(after - 1);
  return Ipv4Address(piece.range.first.number + (place - piece.start));
}

// The first zero bit in [from, to).
std::optional<uint32_t> Pool::find_zero(uint32_t from, uint32_t to) const {
  for (uint32_t at = from; at < to;) {
    uint64_t word = ~taken_[at / 64] >> (at % 64);
    if (word != 0) {
      uint32_t place = at + static_cast<uint32_t>(std::countr_zero(word));
      return place < to ? std::optional(place) : std::nullopt;
    }
    at = (at / 64 + 1) * 64;
  }
  return std::nullopt;
}

}  // namespace postern::dhcp
