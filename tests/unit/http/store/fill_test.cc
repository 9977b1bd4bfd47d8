// SPDX-License-Identifier: BSD-3-Clause
// Fills: many readers along one writer, what is given up, and parts of objects.
#include "services/http/store/fill.h"

#include <catch2/catch.hpp>

#include "unit/http/store/store_bed.h"

namespace postern::http {
namespace {

using testing::content_of;
using testing::StoreBed;
using State = Read::State;

constexpr uint32_t kChunk = 4'096;  // of the bed's segments

std::span<const uint8_t> part(const std::vector<uint8_t>& octets, size_t from, size_t count) {
  return std::span(octets).subspan(from, count);
}

TEST_CASE("http/store/fill: readers get what was appended, then wait, then the end", "[F55]") {
  StoreBed bed;
  const auto content = content_of("a", 50'000);
  auto writer = bed.store->begin({"a"}, "m", {});
  CHECK_FALSE(bed.has("a"));
  auto early = bed.store->find_fill({"a"});
  REQUIRE(early);
  CHECK(early->is_filling());
  CHECK_FALSE(early->length());
  CHECK(early->next().state == State::wait);
  int woken = 0;
  early->when_ready([&] { ++woken; });
  writer->append(part(content, 0, 10'000));
  CHECK(woken == 0);  // never from within append()
  bed.run();
  CHECK(woken == 1);
  auto late = bed.store->find_fill({"a"}, 5);
  CHECK(writer->readers() == 2);
  CHECK(bed.read(*early) == std::pair{content_of("a", 10'000), State::wait});
  CHECK(late->present() == std::vector<OctetRange>{{0, 10'000}});
  writer->append(part(content, 10'000, 40'000));
  bool is_stored = false;
  writer->commit([&](bool stored) { is_stored = stored; });
  CHECK_FALSE(is_stored);
  auto found = bed.find({"a"});  // it is there before it is in the file
  REQUIRE(found);
  CHECK(found->is_complete());
  CHECK(found->length() == 50'000U);
  CHECK(bed.read(*found) == std::pair{content, State::end});
  bed.run();
  CHECK(is_stored);
  CHECK(bed.read(*early) == std::pair{content_of("a", 40'000, 10'000), State::end});
  CHECK(bed.read(*late) == std::pair{content, State::end});
  CHECK_FALSE(bed.store->find_fill({"a"}));
  CHECK(bed.store->counters().fills == 0);
  CHECK(bed.store->counters().queued_octets == 0);
  CHECK(bed.is_right("a", 50'000));
}

TEST_CASE("http/store/fill: readers at any offset see the same octets at any time", "[F55]") {
  std::mt19937 random(1);
  for (int round = 0; round < 40; ++round) {
    StoreBed bed;
    const size_t length = random() % 40'000;
    const auto content = content_of("a", length);
    FillOptions options;
    if (round % 2 == 0) options.length = length;
    auto writer = bed.store->begin({"a"}, "m", options);
    std::vector<std::unique_ptr<StoredObject>> readers;
    std::vector<size_t> at;
    for (size_t done = 0; done < length;) {
      if (readers.size() < 8) {
        readers.push_back(bed.store->find_fill({"a"}));
        at.push_back(random() % (done + 1));
        readers.back()->seek(at.back());
      }
      const size_t count = std::min<size_t>(random() % 7'000, length - done);
      REQUIRE(writer->append(part(content, done, count)) != Append::refused);
      done += count;
      for (int steps = static_cast<int>(random() % 4); steps > 0 && !bed.tasks.empty(); --steps)
        bed.step();
      bed.disk.is_cold = random() % 3 == 0;
      for (size_t i = 0; i < readers.size(); ++i) {
        const Read read = readers[i]->next();
        if (read.state != State::octets) continue;
        REQUIRE(std::equal(read.octets.begin(), read.octets.end(),
                           content.begin() + static_cast<ptrdiff_t>(at[i])));
        at[i] += read.octets.size();
      }
    }
    writer->commit();
    for (size_t i = 0; i < readers.size(); ++i)
      CHECK(bed.read(*readers[i]) == std::pair{content_of("a", length - at[i], at[i]), State::end});
    bed.run();
    CHECK(bed.is_right("a", length));
  }
}

TEST_CASE("http/store/fill: what is abandoned is not there, and its readers learn it", "[F55]") {
  StoreBed bed;
  REQUIRE(bed.put("a", 100));
  auto writer = bed.store->begin({"a"}, "m", {});
  auto reader = bed.store->find_fill({"a"});
  writer->append(content_of("other", 10'000));
  SECTION("by a word") {
    writer->abandon();
  }
  SECTION("by its end") {
    writer.reset();
  }
  SECTION("by too few octets") {
    FillOptions options;
    options.length = 10'001;
    writer = bed.store->begin({"a"}, "m", options);
    reader = bed.store->find_fill({"a"});
    writer->append(content_of("other", 10'000));
    bool is_stored = true;
    writer->commit([&](bool stored) { is_stored = stored; });
    bed.run();
    CHECK_FALSE(is_stored);
  }
  CHECK(bed.read(*reader) == std::pair{content_of("other", 10'000), State::failed});
  reader.reset();
  writer.reset();
  bed.run();
  CHECK(bed.is_right("a", 100));
  REQUIRE(bed.crash_and_open());
  CHECK(bed.is_right("a", 100));
}

TEST_CASE("http/store/fill: one that was removed meanwhile is not stored", "[F55]") {
  StoreBed bed;
  auto writer = bed.store->begin({"a"}, "m", {});
  auto reader = bed.store->find_fill({"a"});
  writer->append(content_of("a", 100));
  SECTION("before the commit") {
    bed.store->remove("a");
    writer->commit();
  }
  SECTION("after it") {
    writer->commit();
    bed.store->remove("a");
  }
  CHECK_FALSE(bed.has("a"));
  CHECK_FALSE(bed.store->find_fill({"a"}));
  bed.run();
  CHECK(bed.read(*reader).first == content_of("a", 100));
  reader.reset();
  writer.reset();
  CHECK_FALSE(bed.has("a"));
  REQUIRE(bed.crash_and_open());
  CHECK_FALSE(bed.has("a"));
}

TEST_CASE("http/store/fill: a full queue refuses, and says so before it does", "[C19]") {
  testing::BedOptions small;
  small.queue_octets_max = 20'000;
  StoreBed bed(small);
  const auto content = content_of("a", 30'000);
  auto writer = bed.store->begin({"a"}, "m", {});
  CHECK(writer->append(part(content, 0, 9'000)) == Append::taken);
  CHECK(writer->append(part(content, 9'000, 9'000)) == Append::full);
  bool is_drained = false;
  writer->when_drained([&] { is_drained = true; });
  bed.run();
  CHECK(is_drained);
  CHECK(writer->append(part(content, 18'000, 7'000)) != Append::refused);
  auto reader = bed.store->find_fill({"a"});
  CHECK(writer->append(std::vector<uint8_t>(20'000)) == Append::refused);
  CHECK(writer->is_over());
  CHECK(bed.read(*reader) == std::pair{content_of("a", 25'000), State::failed});
  CHECK(bed.store->counters().refused == 1);
  CHECK(bed.store->counters().queued_octets == 0);
  bed.run();
  CHECK(bed.put("b", 5'000));
}

// Appends octets [from, to) of the object `name` of 40,000.
bool add_part(StoreBed& bed, const std::string& name, size_t from, size_t to,
              uint64_t validator = 1) {
  FillOptions options;
  options.length = 40'000;
  options.offset = from;
  options.expected_end = to;
  options.adds = true;
  options.validator = validator;
  auto writer = bed.store->begin({name}, "m", options);
  writer->append(content_of(name, to - from, from));
  bool is_stored = false;
  writer->commit([&](bool stored) { is_stored = stored; });
  bed.run();
  return is_stored;
}

TEST_CASE("http/store/fill: parts of an object come together, in any order", "[P28]") {
  StoreBed bed;
  REQUIRE(add_part(bed, "a", 10'000, 20'000));
  auto object = bed.find({"a"});
  REQUIRE(object);
  CHECK_FALSE(object->is_complete());
  CHECK(object->length() == 40'000U);
  CHECK(object->present() == std::vector<OctetRange>{{10'000, 20'000}});
  CHECK(object->next().state == State::absent);
  object->seek(12'345);
  CHECK(bed.read(*object) == std::pair{content_of("a", 7'655, 12'345), State::absent});
  object.reset();
  REQUIRE(add_part(bed, "a", 30'000, 40'000));
  REQUIRE(add_part(bed, "a", 15'000, 25'000));  // overlaps
  REQUIRE(add_part(bed, "a", 11'000, 12'000));  // is there
  CHECK(bed.find({"a"})->present() == std::vector<OctetRange>{{10'000, 25'000}, {30'000, 40'000}});
  REQUIRE(bed.crash_and_open());
  REQUIRE(add_part(bed, "a", 20'000, 30'000));
  REQUIRE(add_part(bed, "a", 0, 10'000));
  CHECK(bed.find({"a"})->is_complete());
  CHECK(bed.is_right("a", 40'000));
  // Of another representation: takes the place.
  REQUIRE(add_part(bed, "a", 0, 100, 2));
  CHECK(bed.find({"a"})->present() == std::vector<OctetRange>{{0, 100}});
}

TEST_CASE("http/store/fill: parts that are added at the same time are all there", "[P28]") {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    StoreBed bed;
    std::vector<std::unique_ptr<StoreWriter>> writers;
    std::vector<size_t> order;
    for (size_t i = 0; i < 10; ++i) {
      FillOptions options;
      options.length = 40'000;
      options.offset = i * 4'000;
      options.expected_end = options.offset + 4'000;
      options.adds = true;
      writers.push_back(bed.store->begin({"a"}, "m", options));
      order.push_back(i);
    }
    auto along = bed.store->find_fill({"a"}, 13'000);
    REQUIRE(along);
    along->seek(13'000);
    std::shuffle(order.begin(), order.end(), random);
    for (const size_t i : order) {
      writers[i]->append(content_of("a", 4'000, i * 4'000));
      writers[i]->commit();
      bed.disk.is_cold = random() % 2 == 0;
      if (random() % 2 == 0 && !bed.tasks.empty()) bed.step();
    }
    CHECK(bed.read(*along).first == content_of("a", 3'000, 13'000));
    bed.run();
    CHECK(bed.is_right("a", 40'000));
  }
}

TEST_CASE("http/store/fill: what came before it was given up may be kept as a part", "[P28]") {
  StoreBed bed;
  FillOptions options;
  options.length = 40'000;
  auto writer = bed.store->begin({"a"}, "m", options);
  writer->append(content_of("a", 17'000));
  writer->abandon(true);
  bed.run();
  auto object = bed.find({"a"});
  REQUIRE(object);
  CHECK_FALSE(object->is_complete());
  CHECK(bed.read(*object) == std::pair{content_of("a", 17'000), State::absent});
}

TEST_CASE("http/store/fill: chunks have places for sendfile", "[F55]") {
  StoreBed bed;
  REQUIRE(bed.put("a", 3 * kChunk + 100));
  REQUIRE(bed.put("small", 100));
  for (const bool is_cold : {false, true, true}) {
    bed.disk.is_cold = is_cold;
    for (const auto& [name, length] : {std::pair{"a", 3 * kChunk + 100}, {"small", 100U}}) {
      auto object = bed.find({name});
      std::vector<uint8_t> got;
      for (;;) {
        const ReadExtent extent = object->next_extent();
        if (extent.state == State::wait) {
          bool is_ready = false;
          object->when_ready([&] { is_ready = true; });
          bed.run();
          REQUIRE(is_ready);
          continue;
        }
        if (extent.state != State::octets) break;
        const auto from = bed.disk.octets.begin() + static_cast<ptrdiff_t>(extent.offset);
        got.insert(got.end(), from, from + static_cast<ptrdiff_t>(extent.length));
      }
      CHECK(got == content_of(name, length));
    }
  }
  // The heads of both, twice: the chunks were verified while the page cache had them.
  CHECK(bed.store->counters().reads_by_pool == 4);
}

}  // namespace
}  // namespace postern::http
