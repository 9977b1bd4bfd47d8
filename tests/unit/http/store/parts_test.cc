// SPDX-License-Identifier: BSD-3-Clause
// The parts of the store by themselves: the sum, the index, the form of the file.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <map>
#include <random>

#include "services/http/store/crc32c.h"
#include "services/http/store/head.h"
#include "services/http/store/index.h"

namespace postern::http {
namespace {

TEST_CASE("http/store/crc32c: is that of RFC 3720 appendix B.4, fast or plain", "[F55]") {
  uint8_t octets[32] = {};
  CHECK(crc32c(0, octets, 32) == 0x8a9136aa);
  std::fill(std::begin(octets), std::end(octets), 0xff);
  CHECK(crc32c(0, octets, 32) == 0x62a8ab43);
  for (uint8_t i = 0; i < 32; ++i)
    octets[i] = i;
  CHECK(crc32c(0, octets, 32) == 0x46dd794e);
  CHECK(crc32c(0, "123456789", 9) == 0xe3069283);
  CHECK(crc32c(crc32c(0, octets, 11), octets + 11, 21) == 0x46dd794e);
  std::mt19937 random(1);
  std::vector<uint8_t> many(70'000);
  for (uint8_t& octet : many)
    octet = static_cast<uint8_t>(random());
  for (size_t count : {0, 1, 7, 8, 255, 767, 768, 769, 12'287, 12'288, 12'289, 65'536, 70'000})
    CHECK(crc32c(count, many.data(), count) == crc32c_plain(count, many.data(), count));
}

TEST_CASE("http/store/crc32c: how fast", "[.measure]") {
  const std::vector<uint8_t> octets(65'536, 7);
  const auto begun = std::chrono::steady_clock::now();
  uint32_t sum = 0;
  for (int i = 0; i < 20'000; ++i)
    sum = crc32c(sum, octets.data(), octets.size());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  WARN("64 KiB in " << took.count() / 20'000 * 1e6 << " us, sum " << sum);
}

TEST_CASE("http/store/index: finds what a map finds, after any inserts and erases", "[F55]") {
  Index index;
  std::map<std::pair<uint64_t, uint32_t>, IndexEntry> map;
  std::mt19937_64 random(2);
  for (int i = 0; i < 60'000; ++i) {
    IndexEntry entry;
    // Few shards and few tags, so that they meet.
    entry.tag = (random() % 3) << 54 | (random() % 400) * 0x10000000;
    entry.variant_tag = static_cast<uint32_t>(random() % 3);
    entry.place = Place(static_cast<uint32_t>(random() % 100), 16, 96);
    const auto key = std::pair{entry.tag, entry.variant_tag};
    const unsigned what = i % 3'000 < 2'000 ? random() % 3 : 2 + random() % 20;
    if (what < 2) {
      CHECK(index.insert(entry) == !map.contains(key));
      map[key] = entry;
    } else if (what < 20) {
      CHECK(index.erase(entry.tag, entry.variant_tag) == (map.erase(key) == 1));
    } else {
      const size_t gone =
          std::erase_if(map, [&](const auto& known) { return known.first.first == entry.tag; });
      CHECK(index.erase_all(entry.tag) == gone);
    }
    CHECK(index.size() == map.size());
    if (i % 500 != 0) continue;
    for (const auto& [known, wanted] : map) {
      const IndexEntry* found = index.find(known.first, known.second);
      REQUIRE(found);
      CHECK(found->place == wanted.place);
    }
  }
}

TEST_CASE("http/store/index: an object has no more than 100 octets of memory", "[F55]") {
  for (const size_t count : {1'000'000U, 1'300'000U}) {
    Index index;
    std::mt19937_64 random(4);
    for (size_t i = 0; i < count; ++i) {
      IndexEntry entry;
      entry.tag = random();
      entry.place = Place(1, 16, 96);
      index.insert(entry);
    }
    const double each = static_cast<double>(index.octets()) / static_cast<double>(count);
    CHECK(each <= 40);
  }
}

TEST_CASE("http/store/index: places keep what they were given", "[F55]") {
  for (const uint32_t segment : {0U, 1U, (1U << 24) - 1}) {
    const Place place(segment, (1U << 23) - 96, 80);
    CHECK(place.segment() == segment);
    CHECK(place.offset() == (1U << 23) - 96);
    CHECK(place.octets() == 80);
    CHECK_FALSE(place.is_none());
  }
}

TEST_CASE("http/store/head: runs are put in order, and say what they cover", "[P28]") {
  std::vector<Run> runs{{100, 0, 50, 1}, {0, 0, 20, 1}, {110, 0, 10, 1}, {10, 0, 10, 1},
                        {140, 0, 30, 1}, {0, 0, 20, 2}, {20, 0, 5, 1}};
  tidy(runs);
  REQUIRE(runs.size() == 4);
  CHECK(covered(runs) == std::vector<OctetRange>{{0, 25}, {100, 170}});
  for (uint64_t offset = 0; offset < 200; ++offset) {
    const Run* run = run_at(runs, offset);
    const bool is_there = offset < 25 || (offset >= 100 && offset < 170);
    REQUIRE((run != nullptr) == is_there);
    if (run == nullptr) continue;
    CHECK(run->object_offset <= offset);
    CHECK(run->object_end() > offset);
  }
}

TEST_CASE("http/store/format: a superblock that makes no sense is none", "[F55]") {
  const auto parsed = [](Superblock block) {
    seal(block);
    uint8_t octets[sizeof block];
    std::memcpy(octets, &block, sizeof block);
    return parse_superblock(octets).has_value();
  };
  Superblock good;
  good.segment_octets = 8'192;
  good.file_octets = 9 * 8'192;
  CHECK(parsed(good));
  for (const uint32_t octets : {0U, 1U, 4'096U, 8'191U, 12'288U, 1U << 24, 1U << 31}) {
    Superblock block = good;
    block.segment_octets = octets;
    CHECK_FALSE(parsed(block));
  }
  for (const uint64_t octets :
       {uint64_t{0}, uint64_t{8'192}, good.file_octets - 1, uint64_t{1} << 62, ~uint64_t{0}}) {
    Superblock block = good;
    block.file_octets = octets;
    CHECK_FALSE(parsed(block));
  }
  Superblock other = good;
  other.magic[0] = 'p';
  CHECK_FALSE(parsed(other));
}

TEST_CASE("http/store/format: a record header is taken at its place alone, and within bounds",
          "[F55]") {
  Superblock block;
  block.segment_octets = 8'192;
  block.file_octets = 9 * 8'192;
  block.salt = 77;
  const Geometry geometry(block);
  RecordHeader good;
  good.sequence = 5;
  good.file_offset = geometry.start_of(2) + sizeof(SegmentHeader);
  good.body_octets = 100;
  const auto parsed = [&](RecordHeader header, uint64_t offset, uint32_t sequence,
                          uint32_t salt = 77) {
    seal(header, salt);
    uint8_t octets[sizeof header];
    std::memcpy(octets, &header, sizeof header);
    return parse_record_header(octets, geometry, offset, sequence).has_value();
  };
  CHECK(parsed(good, good.file_offset, 5));
  CHECK_FALSE(parsed(good, good.file_offset + 16, 5));
  CHECK_FALSE(parsed(good, good.file_offset, 6));
  CHECK_FALSE(parsed(good, good.file_offset, 5, 78));
  for (const uint32_t body : {2'049U, 8'192U, ~0U}) {
    RecordHeader header = good;
    header.body_octets = body;
    CHECK_FALSE(parsed(header, good.file_offset, 5));
  }
  for (const uint32_t runs : {400U, ~0U}) {
    RecordHeader header = good;
    header.runs = runs;
    CHECK_FALSE(parsed(header, good.file_offset, 5));
  }
  // Where a summary ends no record begins, of any length.
  for (const uint64_t before : {16U, 32U, 48U})
    CHECK_FALSE(geometry.holds(geometry.start_of(3) - before, 1));
  CHECK(geometry.holds(geometry.start_of(3) - 64, 16));
  for (const uint64_t offset :
       {uint64_t{0}, geometry.start_of(2), geometry.start_of(2) + 16, geometry.start_of(2) + 33,
        geometry.start_of(3) - 64, geometry.start_of(8) + 32, ~uint64_t{15}}) {
    RecordHeader header = good;
    header.file_offset = offset;
    CHECK_FALSE(parsed(header, offset, 5));
  }
}

}  // namespace
}  // namespace postern::http
