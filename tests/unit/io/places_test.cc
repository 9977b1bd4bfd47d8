// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/places.h"

#include <catch2/catch.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace postern::io {
namespace {

const Ipv4Address kOne(192, 168, 1, 1), kTwo(192, 168, 1, 2);

}  // namespace

TEST_CASE("io/places: one client does not take what is for the others", "[F61]") {
  Places places(4, 2);
  std::vector<Places::Place> kept;
  for (const Ipv4Address client : {kOne, kOne, kTwo}) {
    auto place = places.take(client);
    REQUIRE(place);
    kept.push_back(std::move(*place));
  }
  CHECK_FALSE(places.take(kOne));
  CHECK(places.taken() == 3);
  CHECK(places.turned_away() == 1);
  auto last = places.take(kTwo);
  CHECK(last);
  CHECK_FALSE(places.take(Ipv4Address(192, 168, 1, 3)));  // in all
  CHECK(places.turned_away() == 2);
  kept.pop_back();
  last.reset();
  CHECK(places.taken() == 2);
  CHECK_FALSE(places.take(kOne));
  CHECK(places.take(kTwo));
}

TEST_CASE("io/places: other limits count those that are in", "[F61]") {
  Places places(4, 2);
  auto first = places.take(kOne);
  const auto second = places.take(kTwo);
  REQUIRE(first);
  REQUIRE(second);
  places.set_limits(2, 1);
  CHECK(places.taken() == 2);
  CHECK_FALSE(places.take(Ipv4Address(192, 168, 1, 3)));
  places.set_limits(3, 1);
  CHECK_FALSE(places.take(kOne));
  CHECK(places.take(Ipv4Address(192, 168, 1, 3)));
  places.set_limits(1, 1);
  first.reset();
  CHECK_FALSE(places.take(kOne));  // there are as many as may be
}

TEST_CASE("io/places: a place goes back once, however it moves, and may outlive them", "[F61]") {
  std::optional<Places::Place> place;
  {
    Places places(1, 1);
    {
      auto taken = places.take(kOne);
      REQUIRE(taken);
      const Places::Place moved(std::move(*taken));
      CHECK(places.taken() == 1);
    }
    CHECK(places.taken() == 0);
    place = places.take(kOne);
    CHECK(places.taken() == 1);
  }
  place.reset();
}

}  // namespace postern::io
