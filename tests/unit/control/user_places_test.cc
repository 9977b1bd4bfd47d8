// SPDX-License-Identifier: BSD-3-Clause
#include "control/user_places.h"

#include <catch2/catch.hpp>
#include <vector>

#include "control/admin/server.h"
#include "control/capture/captures.h"

namespace postern {
namespace {

constexpr uint32_t kRoot = 0, kAnn = 70'001, kBen = 70'002, kCid = 70'003;

// How many places the user gets one after the other.
size_t taken_by(uint32_t uid, const UserPlaces& places, std::vector<uint32_t>& holders) {
  size_t count = 0;
  for (; places.has_place(uid, holders); ++count)
    holders.push_back(uid);
  return count;
}

}  // namespace

TEST_CASE("control/user_places: no user but root takes them all", "[P13]") {
  const UserPlaces places = GENERATE(Captures::kPlaces, admin::Server::kPlaces);
  std::vector<uint32_t> holders;
  CHECK(taken_by(kAnn, places, holders) == places.each);
  CHECK(taken_by(kAnn, places, holders) == 0);
  CHECK(taken_by(kBen, places, holders) > 0);
  taken_by(kCid, places, holders);
  CHECK(holders.size() == places.others);
  CHECK(taken_by(kRoot, places, holders) == places.all - places.others);
  CHECK(taken_by(kRoot, places, holders) == 0);
}

TEST_CASE("control/user_places: root may have them all", "[P13]") {
  std::vector<uint32_t> holders;
  CHECK(taken_by(kRoot, Captures::kPlaces, holders) == Captures::kPlaces.all);
  CHECK(taken_by(kAnn, Captures::kPlaces, holders) == 0);
}

}  // namespace postern
