// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/spsc_ring.h"

#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <thread>

namespace postern {

TEST_CASE("table/spsc_ring: what goes in comes out in order") {
  SpscRing<int> ring(4);
  CHECK(ring.is_empty());
  std::array<int, 8> out{};
  CHECK(ring.pop(out) == 0);
  for (int i = 1; i <= 3; ++i)
    CHECK(ring.push(i));
  CHECK_FALSE(ring.is_empty());
  CHECK(ring.pop(out) == 3);
  CHECK(out[0] == 1);
  CHECK(out[2] == 3);
  CHECK(ring.is_empty());
}

TEST_CASE("table/spsc_ring: a full ring refuses and loses nothing") {
  SpscRing<int> ring(4);
  for (int i = 0; i < 4; ++i)
    CHECK(ring.push(i));
  CHECK_FALSE(ring.push(4));
  std::array<int, 1> one{};
  CHECK(ring.pop(one) == 1);
  CHECK(one[0] == 0);
  CHECK(ring.push(5));
  CHECK_FALSE(ring.push(6));
  std::array<int, 8> out{};
  CHECK(ring.pop(out) == 4);
  CHECK(out[3] == 5);
}

TEST_CASE("table/spsc_ring: it takes no more than the reader has room for, round after round") {
  SpscRing<unsigned> ring(8);
  unsigned pushed = 0, popped = 0;
  std::array<unsigned, 3> out{};
  for (unsigned round = 0; round < 1000; ++round) {
    for (unsigned i = 0; i < round % 7; ++i)
      pushed += ring.push(pushed);
    size_t count = ring.pop(out);
    REQUIRE(count <= 3);
    for (size_t i = 0; i < count; ++i)
      REQUIRE(out[i] == popped++);
  }
  CHECK(popped <= pushed);
  CHECK(pushed - popped <= 8);
}

TEST_CASE("table/spsc_ring: two threads see every item once, whole and in order", "[tsan]") {
  struct Item {
    uint64_t number, check;
  };
  constexpr uint64_t kItems = 200'000;
  SpscRing<Item> ring(64);
  uint64_t refused = 0;
  std::thread producer([&] {
    for (uint64_t n = 0; n < kItems;) {
      if (ring.push({n, ~n})) {
        ++n;
      } else {
        ++refused;
        std::this_thread::yield();
      }
    }
  });
  std::array<Item, 16> out{};
  uint64_t expected = 0, wrong = 0;
  while (expected < kItems) {
    size_t count = ring.pop(out);
    if (count == 0) std::this_thread::yield();
    for (size_t i = 0; i < count; ++i, ++expected)
      wrong += out[i].number != expected || out[i].check != ~expected;
  }
  producer.join();
  CHECK(wrong == 0);
  CHECK(ring.is_empty());
}

}  // namespace postern
