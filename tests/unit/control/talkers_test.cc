// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/talkers.h"

#include <catch2/catch.hpp>

namespace postern::admin {

TEST_CASE("admin/talkers: hosts are ranked by what they move now", "[F63]") {
  Talkers talkers;
  const uint32_t quiet = 0xC0A8010A, loud = 0xC0A8010B;
  auto first =
      talkers.rank({{quiet, {3, 1'000'000, 0}}, {loud, {1, 100, 0}}}, Instant{seconds(10).ns});
  REQUIRE(first.size() == 2);
  CHECK(first[0].host.number == quiet);  // nothing to compare with: by bytes
  auto second =
      talkers.rank({{quiet, {2, 900'000, 0}}, {loud, {1, 100, 5000}}}, Instant{seconds(12).ns});
  CHECK(second[0].host.number == loud);
  CHECK(second[0].received_rate == 2500);
  CHECK(second[1].sent_rate == 0);  // a session of it ended
}

TEST_CASE("admin/talkers: looks soon after another are compared with the same one", "[F63]") {
  Talkers talkers;
  talkers.rank({{1, {1, 0, 0}}}, Instant{seconds(10).ns});
  talkers.rank({{1, {1, 1000, 0}}}, Instant{seconds(11).ns});
  auto again = talkers.rank({{1, {1, 1500, 0}}}, Instant{seconds(11).ns + milliseconds(500).ns});
  CHECK(again[0].sent_rate == 1000);
}

TEST_CASE("admin/talkers: an answer is bounded", "[F63]") {
  Talkers talkers;
  Talkers::Look look;
  for (uint32_t host = 0; host < 5000; ++host)
    look[host] = {1, host, 0};
  auto ranked = talkers.rank(look, Instant{1});
  REQUIRE(ranked.size() == Talkers::kShownMax);
  CHECK(ranked[0].host.number == 4999);
}

}  // namespace postern::admin
