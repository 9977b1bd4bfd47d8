// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/flow_map.h"

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <unordered_map>
#include <vector>

#include "base/limits.h"

namespace postern {
namespace {

constexpr HashSeed kSeed{{0x0123456789abcdef, 0xfedcba9876543210}};

FlowKey key_of(uint32_t n) {
  return {Ipv4Address(10, 0, 0, 0).wire(),
          be32(0xC6336400 | (n >> 16)),
          be16(static_cast<uint16_t>(n)),
          be16(443),
          protocol::tcp,
          KeySpace::flow,
          0};
}

struct KeyHash {
  size_t operator()(const FlowKey& key) const { return hash_of(key, HashSeed{{1, 2}}); }
};

}  // namespace

TEST_CASE("table/flow_map: what was inserted is found until it is erased") {
  FlowMap map(4, kSeed);
  CHECK(map.find(key_of(1)) == kNone);
  CHECK(map.insert(key_of(1), 11));
  CHECK(map.find(key_of(1)) == 11);
  CHECK(map.find(key_of(1).reversed()) == kNone);
  CHECK(map.size() == 1);
  CHECK(map.erase(key_of(1)));
  CHECK(map.find(key_of(1)) == kNone);
  CHECK_FALSE(map.erase(key_of(1)));
  CHECK(map.size() == 0);
}

TEST_CASE("table/flow_map: a key is inserted once") {
  FlowMap map(4, kSeed);
  CHECK(map.insert(key_of(1), 11));
  CHECK_FALSE(map.insert(key_of(1), 12));
  CHECK(map.find(key_of(1)) == 11);
}

TEST_CASE("table/flow_map: the all-zero key is a key as any other") {
  FlowMap map(4, kSeed);
  CHECK(map.find(FlowKey{}) == kNone);
  CHECK_FALSE(map.erase(FlowKey{}));
  CHECK(map.insert(FlowKey{}, 0));
  CHECK(map.find(FlowKey{}) == 0);
  CHECK_FALSE(map.insert(FlowKey{}, 1));
  CHECK(map.erase(FlowKey{}));
  CHECK(map.find(FlowKey{}) == kNone);
}

TEST_CASE("table/flow_map: exactly as many entries fit as its capacity says") {
  uint32_t capacity = GENERATE(0u, 1u, 2u, 3u, 7u, 64u, 1000u, 65536u);
  FlowMap map(capacity, kSeed);
  for (uint32_t n = 0; n < capacity; ++n)
    REQUIRE(map.insert(key_of(n), n));
  CHECK_FALSE(map.insert(key_of(capacity), 1));
  CHECK(map.size() == capacity);
  for (uint32_t n = 0; n < capacity; ++n)
    REQUIRE(map.find(key_of(n)) == n);
}

TEST_CASE("table/flow_map: a million random operations agree with std::unordered_map") {
  constexpr uint32_t kCapacity = 3000;
  FlowMap map(kCapacity, kSeed);
  std::unordered_map<FlowKey, uint32_t, KeyHash> model;
  std::mt19937 random(GENERATE(1u, 2u));
  unsigned wrong = 0;
  for (uint32_t step = 0; step < 1'000'000; ++step) {
    FlowKey key = key_of(random() % 5000);  // more keys than room, so it is full at times
    switch (random() % 4) {
      case 0:
      case 1: {
        bool fits = model.size() < kCapacity && !model.contains(key);
        if (fits) model[key] = step;
        wrong += map.insert(key, step) != fits;
        break;
      }
      case 2:
        wrong += map.erase(key) != (model.erase(key) == 1);
        break;
      default: {
        auto it = model.find(key);
        wrong += map.find(key) != (it == model.end() ? kNone : it->second);
      }
    }
    wrong += map.size() != model.size();
  }
  CHECK(wrong == 0);
  for (const auto& [key, value] : model)
    wrong += map.find(key) != value;
  CHECK(wrong == 0);
}

TEST_CASE("table/flow_map: hashes of neighbouring keys fall evenly") {
  constexpr unsigned kBins = 1024, kKeys = 64 * kBins;
  std::vector<unsigned> bins(kBins);
  for (uint32_t n = 0; n < kKeys; ++n)
    ++bins[hash_of(key_of(n), kSeed) >> 54];
  double chi = 0;
  for (unsigned n : bins)
    chi += (n - 64.0) * (n - 64.0) / 64.0;
  CHECK(chi > 800);  // 1023 degrees of freedom: mean 1023, standard deviation 45
  CHECK(chi < 1250);
}

TEST_CASE("table/flow_map: another seed gives another order") {
  unsigned same = 0;
  for (uint32_t n = 0; n < 1000; ++n)
    same += hash_of(key_of(n), kSeed) >> 56 == hash_of(key_of(n), HashSeed{{5, 6}}) >> 56;
  CHECK(same < 20);
}

}  // namespace postern
