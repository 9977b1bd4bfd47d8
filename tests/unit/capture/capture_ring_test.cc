// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/capture/capture_ring.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <thread>
#include <vector>

namespace postern::test {
namespace {

std::vector<uint8_t> bytes_from(uint8_t first, size_t count) {
  std::vector<uint8_t> bytes(count);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

void push(CaptureRing& ring, uint8_t first, uint16_t count) {
  CaptureRecord record;
  record.captured = record.length = count;
  record.interface = 1;
  record.rule = first;
  ring.push(record, bytes_from(first, count).data());
}

}  // namespace

TEST_CASE("capture/capture_ring: frames of every length come out as they went in", "[P13]") {
  CaptureRing ring(1024);
  std::vector<uint8_t> out(256);
  CaptureRecord record;
  CHECK_FALSE(ring.pop(record, out));
  for (unsigned round = 0; round < 500; ++round) {
    const auto length = static_cast<uint16_t>(round % 251);
    const auto first = static_cast<uint8_t>(round);
    push(ring, first, length);
    REQUIRE(ring.pop(record, out));
    CHECK(record.rule == first);
    CHECK(record.captured == length);
    CHECK(std::vector(out.begin(), out.begin() + length) == bytes_from(first, length));
  }
  CHECK(ring.is_empty());
}

TEST_CASE("capture/capture_ring: a full ring leaves frames out and counts them", "[P13]") {
  CaptureRing ring(1024);
  constexpr unsigned kPushed = 100;
  for (unsigned i = 0; i < kPushed; ++i)
    push(ring, static_cast<uint8_t>(i), 100);
  CHECK(ring.matched()[1].read() == kPushed);
  const uint64_t kept = kPushed - ring.lost()[1].read();
  CHECK(kept == 1024 / (sizeof(CaptureRecord) + 104));
  std::vector<uint8_t> out(256);
  CaptureRecord record;
  for (unsigned i = 0; i < kept; ++i) {
    REQUIRE(ring.pop(record, out));
    CHECK(record.rule == i);
  }
  CHECK_FALSE(ring.pop(record, out));
}

TEST_CASE("capture/capture_ring: one thread writes while another reads", "[P13][tsan]") {
  CaptureRing ring(4096);
  constexpr unsigned kPushed = 20'000;
  std::thread producer([&ring] {
    for (unsigned i = 0; i < kPushed; ++i)
      push(ring, static_cast<uint8_t>(i), static_cast<uint16_t>(i % 97));
  });
  std::vector<uint8_t> out(256);
  CaptureRecord record;
  uint64_t popped = 0;
  bool all_whole = true;
  while (popped + ring.lost()[1].read() < kPushed || !ring.is_empty()) {
    if (!ring.pop(record, out)) continue;
    ++popped;
    all_whole = all_whole && std::vector(out.begin(), out.begin() + record.captured) ==
                                 bytes_from(static_cast<uint8_t>(record.rule), record.captured);
  }
  producer.join();
  CHECK(all_whole);
  CHECK(popped + ring.lost()[1].read() == kPushed);
}

}  // namespace postern::test
