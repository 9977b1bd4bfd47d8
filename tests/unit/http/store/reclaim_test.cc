// SPDX-License-Identifier: BSD-3-Clause
// The file goes round: what is kept, what goes, and what nobody may write over.
#include "services/http/store/reclaim.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "unit/http/store/store_bed.h"

namespace postern::http {
namespace {

using testing::BedOptions;
using testing::content_of;
using testing::StoreBed;
using State = Read::State;

std::string name_of(int number) {
  return "key " + std::to_string(number);
}

TEST_CASE("http/store/reclaim: five times the capacity: the newest are there, all right", "[F55]") {
  StoreBed bed;
  const size_t size = bed.disk.octets.size();
  const int count = static_cast<int>(5 * size / 2'100);
  for (int i = 0; i < count; ++i)
    REQUIRE(bed.put(name_of(i), 2'000));
  CHECK(bed.disk.octets.size() == size);
  int there = 0;
  for (int i = 0; i < count; ++i) {
    if (!bed.has(name_of(i))) continue;
    ++there;
    CHECK(bed.is_right(name_of(i), 2'000));
  }
  // Seven a segment; of eight two are free and one is being written.
  CHECK(there >= 5 * 7);
  for (int i = count - there; i < count; ++i)
    CHECK(bed.has(name_of(i)));
  const auto counters = bed.store->counters();
  CHECK(counters.objects == static_cast<uint64_t>(there));
  CHECK(counters.objects + counters.evicted == static_cast<uint64_t>(count));
  CHECK(counters.refused == 0);
  REQUIRE(bed.crash_and_open());
  for (int i = count - there; i < count; ++i)
    CHECK(bed.is_right(name_of(i), 2'000));
}

TEST_CASE("http/store/reclaim: what is asked for is carried on, with its metadata", "[F55]") {
  StoreBed bed;
  REQUIRE(bed.put("short", 1'000));
  REQUIRE(bed.put("changed", 1'000));
  REQUIRE(bed.put("middle", 5'000));  // a chunk and a head
  REQUIRE(bed.put("cold", 1'000));
  for (int i = 0; i < 400; ++i) {
    REQUIRE(bed.put(name_of(i), 2'000));
    for (const char* name : {"short", "middle", "changed"})
      REQUIRE(bed.has(name));
    if (i % 7 == 0) bed.store->update_metadata({"changed"}, "at " + std::to_string(i));
    bed.disk.is_cold = i % 5 == 0;
  }
  bed.run();
  for (int round = 0; round < 2; ++round) {
    CHECK(bed.is_right("short", 1'000));
    CHECK(bed.is_right("middle", 5'000));
    CHECK(bed.is_right("changed", 1'000));
    CHECK(bed.find({"changed"})->metadata() == "at 399");
    CHECK_FALSE(bed.has("cold"));
    if (round == 0) CHECK(bed.store->counters().second_chances > 10);
    REQUIRE(bed.crash_and_open());
  }
}

TEST_CASE("http/store/reclaim: a long object that is asked for stays where it is", "[F55]") {
  BedOptions options;
  options.segments = 16;
  StoreBed bed(options);
  REQUIRE(bed.put("long", 60'000));
  REQUIRE(bed.put("removed", 100));
  REQUIRE(bed.put("replaced", 100, "one"));
  const auto fill_up = [&bed](int from, int to) {
    for (int i = from; i < to; ++i) {
      REQUIRE(bed.put(name_of(i), 2'000));
      REQUIRE(bed.has("long"));
    }
  };
  fill_up(0, 40);
  REQUIRE(bed.remove("removed"));
  REQUIRE(bed.put("replaced", 200, "two"));
  fill_up(40, 400);
  CHECK(bed.is_right("long", 60'000));
  CHECK(bed.store->counters().segments_kept > 8);
  CHECK_FALSE(bed.has("replaced"));  // nobody asked for it
  // What it lay beside has not come back, though what removed or replaced it is gone.
  for (int round = 0; round < 2; ++round) {
    REQUIRE(bed.crash_and_open());
    CHECK(bed.is_right("long", 60'000));
    CHECK_FALSE(bed.has("removed"));
    CHECK_FALSE(bed.has("replaced"));
    fill_up(400, 500);
  }
}

TEST_CASE("http/store/reclaim: no segment is written over while it is read", "[F55]") {
  StoreBed bed;
  REQUIRE(bed.put("short", 1'000));
  REQUIRE(bed.put("long", 30'000));
  auto is_short = bed.find({"short"});
  auto is_long = bed.find({"long"});
  bed.store->remove("short");
  bed.store->remove("long");
  bed.run();
  for (int i = 0; i < 300; ++i)
    REQUIRE(bed.put(name_of(i), 2'000));
  CHECK(bed.read(*is_short) == std::pair{content_of("short", 1'000), State::end});
  CHECK(bed.read(*is_long) == std::pair{content_of("long", 30'000), State::end});
  // What was removed stays away though the tombstones' own segment went long ago.
  testing::Disk disk = bed.disk;
  is_short.reset();
  is_long.reset();
  StoreBed after({}, &disk);
  CHECK_FALSE(after.has("short"));
  CHECK_FALSE(after.has("long"));
  CHECK(after.is_right(name_of(299), 2'000));
}

TEST_CASE("http/store/reclaim: when all is being read nothing is stored, until it is not",
          "[F55][C19]") {
  StoreBed bed;
  std::vector<std::unique_ptr<StoredObject>> readers;
  int stored = 0;
  for (int i = 0; i < 100; ++i) {
    if (!bed.put(name_of(i), 2'000)) continue;
    ++stored;
    readers.push_back(bed.find({name_of(i)}));
  }
  CHECK(stored < 56);
  CHECK(stored > 30);
  for (int i = 0; i < stored; ++i)
    CHECK(bed.read(*readers[static_cast<size_t>(i)]).first == content_of(name_of(i), 2'000));
  readers.clear();
  bed.run();
  for (int i = 0; i < 100; ++i)
    CHECK(bed.put("more " + std::to_string(i), 2'000));
}

TEST_CASE("http/store/reclaim: a long object that nobody asks for loses its oldest part first",
          "[F55][P28]") {
  StoreBed bed;
  REQUIRE(bed.put("long", 60'000));
  bool was_partial = false;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(bed.put(name_of(i), 2'000));
    if (i % 10 != 0) continue;
    // Looked at beside the store, so that it does not count as asked for.
    StoreBed beside({}, &bed.disk);
    auto object = beside.find({"long"});
    if (!object) continue;
    const auto present = object->present();
    REQUIRE_FALSE(present.empty());
    if (present.front() == OctetRange{0, 60'000}) continue;
    was_partial = true;
    CHECK_FALSE(object->is_complete());
    object->seek(present.front().begin);
    const size_t rest = 60'000 - present.front().begin;
    CHECK(beside.read(*object).first == content_of("long", rest, present.front().begin));
  }
  CHECK(was_partial);
  CHECK_FALSE(bed.has("long"));
}

TEST_CASE("http/store/reclaim: what was removed beside a segment that was kept stays away",
          "[F55]") {
  // A segment is kept while another one is open, in which something of it is removed then: both are
  // equally old. For each place of the removal in the life of the open one.
  for (int removed_at = 40; removed_at < 120; ++removed_at) {
    BedOptions options;
    options.segments = 16;
    StoreBed bed(options);
    REQUIRE(bed.put("long", 60'000));
    REQUIRE(bed.put("removed", 100));
    int gone_since = 0;
    for (int i = 0; i < 240; ++i) {
      REQUIRE(bed.put(name_of(i), 2'000));
      if (i % 3 == 0) REQUIRE(bed.has("long"));
      if (i < removed_at) bed.has("removed");
      if (i == removed_at) REQUIRE(bed.remove("removed"));
      if (i <= removed_at || i % 4 != 0) continue;
      StoreBed beside(options, &bed.disk);
      if (beside.has("removed")) ++gone_since;
    }
    INFO("removed at " << removed_at);
    REQUIRE(gone_since == 0);
  }
}

TEST_CASE("http/store/reclaim: at a start the newest are in the index, if not all can", "[F55]") {
  BedOptions options;
  options.segments = 16;
  StoreBed bed(options);
  for (int i = 0; i < 200; ++i)
    REQUIRE(bed.put(name_of(i), 300));
  bed.options.objects_max = 100;
  REQUIRE(bed.open());
  CHECK(bed.store->counters().objects <= 100);
  CHECK(bed.store->counters().objects > 40);
  for (int i = 160; i < 200; ++i)
    CHECK(bed.is_right(name_of(i), 300));
}

TEST_CASE("http/store/reclaim: no more objects than the index may have", "[F55]") {
  BedOptions options;
  options.objects_max = 64;
  StoreBed bed(options);
  for (int i = 0; i < 400; ++i)
    bed.put(name_of(i), 200);
  CHECK(bed.store->counters().objects <= 64);
  CHECK(bed.store->counters().objects > 8);
  CHECK(bed.has(name_of(399)));
}

// Hits of a Zipf workload (exponent 0.9) over objects of five times the capacity, in per cent,
// first of requests 3 to 6 times the objects, then of 6 to 9 times.
std::pair<double, double> hit_rate(unsigned keep_percent) {
  BedOptions options;
  options.segments = 64;
  options.segment_octets = 32'768;
  options.keep_percent = keep_percent;
  StoreBed bed(options);
  constexpr size_t kObjects = 10'000;  // of 1 KiB on average
  std::vector<double> sums;
  double sum = 0;
  for (size_t i = 0; i < kObjects; ++i)
    sums.push_back(sum += std::pow(static_cast<double>(i + 1), -0.9));
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(0, sum);
  double hits[3] = {};
  for (size_t i = 0; i < 9 * kObjects; ++i) {
    const auto rank = std::lower_bound(sums.begin(), sums.end(), uniform(random)) - sums.begin();
    const auto number = static_cast<int>(rank);
    const size_t octets = 100 + static_cast<size_t>(number) * 7'919 % 1'848;
    if (bed.has(name_of(number)))
      ++hits[i / (3 * kObjects)];
    else
      bed.put(name_of(number), octets);
  }
  return {hits[1] / 300, hits[2] / 300};
}

TEST_CASE("http/store/reclaim: a second chance hits more than first in, first out, steadily",
          "[F55]") {
  const auto fifo = hit_rate(0);
  const auto half = hit_rate(50);
  CHECK(half.first > fifo.first + 2);
  CHECK(std::abs(half.first - half.second) < 2);
}

TEST_CASE("http/store/reclaim: hit rate by how much is carried on", "[.measure]") {
  for (const unsigned percent : {0U, 25U, 50U, 75U, 90U}) {
    const auto rate = hit_rate(percent);
    WARN(percent << " %: " << rate.first << ", " << rate.second);
  }
}

}  // namespace
}  // namespace postern::http
