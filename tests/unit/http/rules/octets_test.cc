// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/octets.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

namespace postern::http {
namespace {

std::vector<Octets> pieces_of(const OctetSet& set) {
  return {set.pieces().begin(), set.pieces().end()};
}

}  // namespace

TEST_CASE("http/octets: pieces that touch become one", "[RFC9111-3.4]") {
  OctetSet set;
  REQUIRE(set.add({10, 19}));
  REQUIRE(set.add({30, 39}));
  REQUIRE(set.add({0, 4}));
  CHECK(pieces_of(set) == std::vector<Octets>{{0, 4}, {10, 19}, {30, 39}});
  REQUIRE(set.add({5, 9}));
  CHECK(pieces_of(set) == std::vector<Octets>{{0, 19}, {30, 39}});
  REQUIRE(set.add({15, 35}));
  CHECK(pieces_of(set) == std::vector<Octets>{{0, 39}});
  REQUIRE(set.add({3, 5}));
  CHECK(pieces_of(set) == std::vector<Octets>{{0, 39}});
}

TEST_CASE("http/octets: what is no range is not taken, nor one piece too many") {
  OctetSet set;
  CHECK_FALSE(set.add({-1, 5}));
  CHECK_FALSE(set.add({5, 4}));
  for (int64_t at = 0; at < static_cast<int64_t>(kPiecesMax); ++at)
    REQUIRE(set.add({at * 10, at * 10 + 1}));
  CHECK_FALSE(set.add({10000, 10001}));
  CHECK(set.add({2, 9}));
  CHECK(set.add({10000, 10001}));
}

TEST_CASE("http/octets: what is missing of a range is told in order", "[RFC9111-3.3]") {
  OctetSet set;
  REQUIRE(set.add({10, 19}));
  REQUIRE(set.add({30, 39}));
  CHECK(set.missing({0, 49}) == std::vector<Octets>{{0, 9}, {20, 29}, {40, 49}});
  CHECK(set.missing({12, 15}).empty());
  CHECK(set.missing({15, 32}) == std::vector<Octets>{{20, 29}});
  CHECK(set.missing({20, 29}) == std::vector<Octets>{{20, 29}});
  CHECK(set.missing({50, 59}) == std::vector<Octets>{{50, 59}});
  CHECK(set.holds({10, 19}));
  CHECK_FALSE(set.holds({10, 20}));
  CHECK_FALSE(set.holds({9, 10}));
}

TEST_CASE("http/octets: pieces and gaps agree with octets that are counted one by one") {
  std::mt19937 random(8);
  for (int round = 0; round < 200; ++round) {
    OctetSet set;
    std::vector<bool> octets(100);
    for (int piece = 0; piece < 6; ++piece) {
      const auto first = static_cast<int64_t>(random() % 100);
      const int64_t last = std::min<int64_t>(99, first + static_cast<int64_t>(random() % 20));
      REQUIRE(set.add({first, last}));
      std::fill(octets.begin() + first, octets.begin() + last + 1, true);
    }
    for (const Octets& gap : set.missing({0, 99}))
      std::fill(octets.begin() + gap.first, octets.begin() + gap.last + 1, true);
    CHECK(std::count(octets.begin(), octets.end(), true) == 100);
    for (size_t at = 1; at < set.pieces().size(); ++at)
      CHECK(set.pieces()[at].first > set.pieces()[at - 1].last + 1);
  }
}

}  // namespace postern::http
