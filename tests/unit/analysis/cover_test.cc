// SPDX-License-Identifier: BSD-3-Clause
#include "control/analysis/cover.h"

#include <catch2/catch.hpp>
#include <random>
#include <set>

namespace postern::analysis {
namespace {

using Random = std::mt19937;

constexpr uint32_t kSmall = 12;  // numbers of the sets below

RangeSet random_set(Random& random) {
  std::vector<Range> ranges;
  for (auto left = random() % 4; left > 0; --left) {
    const auto first = static_cast<uint32_t>(random() % kSmall);
    ranges.push_back({first, first + static_cast<uint32_t>(random() % (kSmall - first))});
  }
  return RangeSet(std::move(ranges));
}

bool holds(const RangeSet& set, uint32_t number) {
  return set.contains(RangeSet(number, number));
}

// A region of two fields, so that all its packets can be counted.
Region random_region(Random& random) {
  Region region;
  region[Choice::in] = 1 + random() % 7;
  region[Choice::out] = 1;
  region[Number::from] = random_set(random);
  region[Number::port] = random_set(random);
  return region;
}

bool holds(const std::vector<Region>& regions, unsigned in, uint32_t from, uint32_t port) {
  for (const Region& region : regions) {
    if ((region[Choice::in] >> in & 1) != 0 && holds(region[Number::from], from) &&
        holds(region[Number::port], port)) {
      return true;
    }
  }
  return false;
}

template <typename Take>
void for_each_packet(const Take& take) {
  for (unsigned in = 0; in < 3; ++in) {
    for (uint32_t from = 0; from < kSmall; ++from) {
      for (uint32_t port = 0; port < kSmall; ++port)
        take(in, from, port);
    }
  }
}

}  // namespace

TEST_CASE("analysis/cover: sets of ranges do what sets do", "[C06]") {
  Random random(1);
  for (int round = 0; round < 2000; ++round) {
    const RangeSet a = random_set(random), b = random_set(random);
    const RangeSet both = a.common(b), rest = a.without(b);
    bool meets = false, contains = true;
    for (uint32_t i = 0; i < kSmall; ++i) {
      const bool in_a = holds(a, i), in_b = holds(b, i);
      REQUIRE(holds(both, i) == (in_a && in_b));
      REQUIRE(holds(rest, i) == (in_a && !in_b));
      meets = meets || (in_a && in_b);
      contains = contains && (in_a || !in_b);
    }
    REQUIRE(a.meets(b) == meets);
    REQUIRE(a.contains(b) == contains);
  }
  CHECK(RangeSet().is_all());
  CHECK(RangeSet(0, 0xFFFFFFFF).is_all());
  CHECK(RangeSet(1, 0xFFFFFFFF).without(RangeSet(5, 0xFFFFFFFF)).at(0) == Range{1, 4});
  CHECK(RangeSet().without(RangeSet()).is_empty());
}

TEST_CASE("analysis/cover: the answer is that of counting packets", "[C06]") {
  Random random(2);
  size_t covered = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<Item> items(1 + random() % 6);
    for (Item& item : items) {
      for (auto left = 1 + random() % 2; left > 0; --left)
        item.regions.push_back(random_region(random));
    }
    std::vector<Region> whole = {random_region(random)};
    if (whole.front().is_empty()) continue;
    Budget budget(1'000'000);
    Cover cover(items, budget);
    std::vector<size_t> by;
    const Answer answer =
        cover.is_covered(whole, cover.meeting(whole, 0, items.size(), false), &by);
    REQUIRE(answer != Answer::unknown);
    bool is_covered = true;
    for_each_packet([&](unsigned in, uint32_t from, uint32_t port) {
      bool is_taken = !holds(whole, in, from, port);
      for (const Item& item : items)
        is_taken = is_taken || holds(item.regions, in, from, port);
      is_covered = is_covered && is_taken;
    });
    REQUIRE((answer == Answer::yes) == is_covered);
    covered += is_covered;
  }
  CHECK(covered > 100);
}

TEST_CASE("analysis/cover: a budget that is used up is no answer", "[C06]") {
  Random random(3);
  std::vector<Item> items(40);
  for (Item& item : items)
    item.regions.push_back(random_region(random));
  Region all;
  all[Choice::in] = 7;
  all[Choice::out] = 1;
  Budget budget(50);
  Cover cover(items, budget);
  std::vector<size_t> every;
  for (size_t i = 0; i < items.size(); ++i)
    every.push_back(i);
  CHECK(cover.is_covered({all}, every) == Answer::unknown);
  CHECK(budget.left() == 0);
}

}  // namespace postern::analysis
