// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/flow_index.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>

namespace postern {
namespace {

auto is(uint32_t wanted) {
  return [wanted](uint32_t value) { return value == wanted; };
}

}  // namespace

TEST_CASE("table/flow_index: entries of one bucket and one tag are told apart by the caller") {
  FlowIndex index(64);
  constexpr uint64_t kHash = 0x8000000000001234;
  for (uint32_t value = 0; value < 64; ++value)
    REQUIRE(index.insert(kHash, value));
  CHECK_FALSE(index.insert(kHash, 64));
  for (uint32_t value = 0; value < 64; ++value)
    CHECK(index.find(kHash, is(value)) == value);
  CHECK(index.find(kHash, is(64)) == kNone);
  CHECK(index.guess(index.spot_of(kHash)) != kNone);
  for (uint32_t value = 0; value < 64; value += 2)
    CHECK(index.erase(kHash, value));
  for (uint32_t value = 0; value < 64; ++value)
    CHECK(index.find(kHash, is(value)) == (value % 2 == 0 ? kNone : value));
  CHECK_FALSE(index.erase(kHash, 0));
  CHECK(index.size() == 32);
}

TEST_CASE("table/flow_index: a tag of zero is not a free slot") {
  FlowIndex index(8);
  constexpr uint64_t kHash = 0x12340000;
  CHECK(index.guess(index.spot_of(kHash)) == kNone);
  index.insert(kHash, 7);
  CHECK(index.guess(index.spot_of(kHash)) == 7);
  CHECK(index.erase(kHash, 7));
  CHECK(index.guess(index.spot_of(kHash)) == kNone);
}

TEST_CASE("table/flow_index: churn in a full index leaves nothing behind and loses nothing") {
  constexpr uint32_t kCapacity = 3000;
  FlowIndex index(kCapacity);
  std::mt19937_64 random(11);
  std::map<uint32_t, uint64_t> model;  // value -> hash
  unsigned wrong = 0;
  for (unsigned step = 0; step < 300'000; ++step) {
    auto value = static_cast<uint32_t>(random() % (kCapacity + 500));
    auto known = model.find(value);
    if (known != model.end()) {
      wrong += !index.erase(known->second, value);
      model.erase(known);
      continue;
    }
    uint64_t hash = random();
    bool fits = model.size() < kCapacity;
    wrong += index.insert(hash, value) != fits;
    if (fits) model[value] = hash;
  }
  for (const auto& [value, hash] : model)
    wrong += index.find(hash, is(value)) != value;
  CHECK(wrong == 0);
  CHECK(index.size() == model.size());
  for (const auto& [value, hash] : model)
    wrong += !index.erase(hash, value);
  // Nobody is counted as passed any more: a look-up ends at once.
  for (unsigned i = 0; i < 1000; ++i)
    index.find(random(), [&](uint32_t) { return ++wrong != 0; });
  CHECK(wrong == 0);
}

}  // namespace postern
