// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/wire/checksum.h"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

namespace postern {
namespace {

// RFC 1071 as it is written: one 16-bit word after the other.
uint16_t slow_sum(const std::vector<uint8_t>& bytes) {
  uint32_t total = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    total += i % 2 == 0 ? bytes[i] : uint32_t{bytes[i]} << 8;
    total = (total & 0xFFFF) + (total >> 16);
  }
  return static_cast<uint16_t>(total);
}

std::vector<uint8_t> random_bytes(std::mt19937& random, size_t count) {
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes)
    byte = static_cast<uint8_t>(random());
  return bytes;
}

}  // namespace

TEST_CASE("wire/checksum: the sum is the one of the example in RFC 1071 section 3") {
  const std::vector<uint8_t> bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  CHECK(be16::from_raw(sum(bytes.data(), bytes.size())).value() == 0xddf2);
}

TEST_CASE("wire/checksum: every length sums as word by word does") {
  std::mt19937 random(1);
  for (size_t length = 0; length < 200; ++length) {
    const auto bytes = random_bytes(random, length);
    CHECK(sum(bytes.data(), length) == slow_sum(bytes));
  }
  const std::vector<uint8_t> ones(65535, 0xFF);
  CHECK(sum(ones.data(), ones.size()) == slow_sum(ones));
}

TEST_CASE("wire/checksum: a sum may start from another one") {
  std::mt19937 random(2);
  const auto bytes = random_bytes(random, 100);
  CHECK(sum(bytes.data() + 40, 60, sum(bytes.data(), 40)) == sum(bytes.data(), 100));
}

TEST_CASE("wire/checksum: differences keep a checksum right", "[RFC1624]") {
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    auto bytes = random_bytes(random, 40);
    const auto before = be16::from_raw(static_cast<uint16_t>(~sum(bytes.data(), 40)));
    const be32 old_word(uint32_t{bytes[12]} << 24 | uint32_t{bytes[13]} << 16 |
                        uint32_t{bytes[14]} << 8 | bytes[15]);
    const be16 old_half(static_cast<uint16_t>(bytes[20] << 8 | bytes[21]));
    const be32 new_word(round % 3 == 0 ? 0 : static_cast<uint32_t>(random()));
    const be16 new_half(round % 5 == 0 ? uint16_t{0xFFFF} : static_cast<uint16_t>(random()));
    std::memcpy(bytes.data() + 12, &new_word, 4);
    std::memcpy(bytes.data() + 20, &new_half, 2);
    const uint16_t delta = combine(difference(old_word, new_word), difference(old_half, new_half));
    const be16 after = updated(before, delta);
    CHECK(fold(uint32_t{sum(bytes.data(), 40)} + after.raw()) == 0xFFFF);
  }
}

TEST_CASE("wire/checksum: the update has no trouble with zero", "[RFC1624]") {
  // Section 4: the old equation gave 0xFFFF here, the right answer is 0x0000.
  const be16 checksum(0xDD2F), from(0x5555), to(0x3285);
  CHECK(updated(checksum, difference(from, to)) == be16(0x0000));
}

}  // namespace postern
