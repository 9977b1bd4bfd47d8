// SPDX-License-Identifier: BSD-3-Clause
// The life of an object.
#include "services/http/store/store.h"

#include <catch2/catch.hpp>
#include <set>

#include "unit/http/store/store_bed.h"

namespace postern::http {
namespace {

using testing::content_of;
using testing::StoreBed;
using State = Read::State;

TEST_CASE("http/store: an object is found as it was stored, at once and after a restart", "[F55]") {
  StoreBed bed;
  CHECK_FALSE(bed.has("a"));
  REQUIRE(bed.put("a", 1'000, "head of a"));
  REQUIRE(bed.put("empty", 0));
  REQUIRE(bed.put("long", 20'000));  // five chunks
  for (int round = 0; round < 2; ++round) {
    auto object = bed.find({"a"});
    REQUIRE(object);
    CHECK(object->metadata() == "head of a");
    CHECK(object->length() == 1'000U);
    CHECK(object->is_complete());
    CHECK_FALSE(object->is_filling());
    CHECK(object->present() == std::vector<OctetRange>{{0, 1'000}});
    CHECK(bed.read(*object).first == content_of("a", 1'000));
    object->seek(990);
    CHECK(bed.read(*object).first == content_of("a", 10, 990));
    CHECK(bed.is_right("empty", 0));
    CHECK(bed.is_right("long", 20'000));
    object.reset();
    CHECK(bed.store->counters().objects == 3);
    REQUIRE((round == 0 ? bed.open() : bed.crash_and_open()));
  }
}

TEST_CASE("http/store: what is not in the page cache is read by the pool", "[F55]") {
  StoreBed bed;
  REQUIRE(bed.put("a", 1'000));
  REQUIRE(bed.put("long", 20'000));
  bed.disk.is_cold = true;
  bool is_answered = false;
  bed.store->find({"a"}, [&](std::unique_ptr<StoredObject> object) {
    is_answered = true;
    CHECK(object);
  });
  CHECK_FALSE(is_answered);
  bed.run();
  CHECK(is_answered);
  CHECK(bed.is_right("long", 20'000));
  CHECK(bed.store->counters().reads_by_pool == 6);  // two heads and four chunks
}

TEST_CASE("http/store: an object may go while it is waited for", "[F55]") {
  StoreBed bed;
  REQUIRE(bed.put("long", 20'000));
  auto object = bed.find({"long"});
  bed.disk.is_cold = true;
  REQUIRE(object->next().state == State::wait);
  bool is_called = false;
  object->when_ready([&] { is_called = true; });
  object.reset();
  bed.run();
  CHECK_FALSE(is_called);
}

TEST_CASE("http/store: a later object takes the place of an earlier one", "[F55]") {
  StoreBed bed;
  REQUIRE(bed.put("a", 1'000, "one"));
  auto old = bed.find({"a"});
  REQUIRE(bed.put("a", 1'000, "two"));
  for (int round = 0; round < 2; ++round) {
    CHECK(bed.find({"a"})->metadata() == "two");
    CHECK(bed.store->counters().objects == 1);
    if (old) CHECK(old->metadata() == "one");
    old.reset();
    REQUIRE(bed.crash_and_open());
  }
}

TEST_CASE("http/store: other metadata leave the body where it is", "[F55]") {
  StoreBed bed;
  REQUIRE(bed.put("a", 1'000, "one"));
  REQUIRE(bed.put("long", 20'000, "one"));
  const uint64_t written = bed.disk.written;
  int done = 0;
  for (const char* name : {"a", "long"})
    bed.store->update_metadata({name}, "another", [&](bool is_done) { done += is_done ? 1 : 10; });
  CHECK(bed.find({"a"})->metadata() == "another");  // not written yet
  bed.run();
  CHECK(done == 2);
  // Two heads; the last chunk of the long object stays in the old one as well.
  CHECK(bed.disk.written - written < 600);
  for (int round = 0; round < 2; ++round) {
    CHECK(bed.find({"a"})->metadata() == "another");
    CHECK(bed.find({"long"})->metadata() == "another");
    CHECK(bed.is_right("a", 1'000));
    CHECK(bed.is_right("long", 20'000));
    REQUIRE(bed.crash_and_open());
  }
  bed.store->update_metadata({"absent"}, "m", [&](bool is_done) { done += is_done ? 10 : 1; });
  bed.run();
  CHECK(done == 3);
}

TEST_CASE("http/store: what is removed is gone, and stays away, with all variants", "[F55]") {
  StoreBed bed;
  for (const char* variant : {"", "gzip", "br"})
    REQUIRE(bed.put("a", 500, "m", variant));
  REQUIRE(bed.put("b", 500));
  CHECK(bed.is_right("a", 500, "gzip"));
  bool is_done = false;
  const uint64_t syncs = bed.disk.syncs;
  bed.store->remove("a", [&](bool done) { is_done = done; });
  CHECK_FALSE(bed.has("a", "gzip"));  // at once, on the disk later
  bed.run();
  CHECK(is_done);
  CHECK(bed.disk.syncs == syncs + 1);
  for (int round = 0; round < 2; ++round) {
    for (const char* variant : {"", "gzip", "br"})
      CHECK_FALSE(bed.has("a", variant));
    CHECK(bed.is_right("b", 500));
    REQUIRE(bed.crash_and_open());
  }
  REQUIRE(bed.put("a", 700));
  REQUIRE(bed.crash_and_open());
  CHECK(bed.is_right("a", 700));
}

TEST_CASE("http/store: many removals share one sync", "[F55]") {
  StoreBed bed;
  const uint64_t syncs = bed.disk.syncs;
  for (int i = 0; i < 40; ++i)
    bed.store->remove("key " + std::to_string(i));
  bed.run();
  CHECK(bed.disk.syncs == syncs + 1);
}

TEST_CASE("http/store: clear removes everything, for good, and the store goes on", "[F55]") {
  StoreBed bed;
  for (int i = 0; i < 30; ++i)
    REQUIRE(bed.put("key " + std::to_string(i), 3'000));
  auto read = bed.find({"key 29"});
  auto writer = bed.store->begin({"under way"}, "m", {});
  writer->append(content_of("under way", 10));
  bool is_done = false;
  bed.store->clear([&](bool done) { is_done = done; });
  writer->commit();
  bed.run();
  CHECK(is_done);
  CHECK(bed.read(*read).first == content_of("key 29", 3'000));
  read.reset();
  writer.reset();
  for (int round = 0; round < 2; ++round) {
    CHECK(bed.store->counters().objects == 0);
    CHECK_FALSE(bed.has("key 29"));
    CHECK_FALSE(bed.has("under way"));
    REQUIRE(bed.crash_and_open());
  }
  REQUIRE(bed.put("new", 3'000));
  REQUIRE(bed.crash_and_open());
  CHECK(bed.is_right("new", 3'000));
}

TEST_CASE("http/store: all keys are walked over, moved and open ones and fills", "[F55]") {
  StoreBed bed;
  std::vector<std::string> wanted;
  for (int i = 10; i < 40; ++i) {
    wanted.push_back("key " + std::to_string(i));
    REQUIRE(bed.put(wanted.back(), 2'000));
  }
  REQUIRE(bed.remove("key 12"));
  wanted.erase(wanted.begin() + 2);
  auto writer = bed.store->begin({"zz", "v"}, "m", {});
  wanted.emplace_back("zzv");
  CHECK(bed.keys() == wanted);
  writer.reset();
  wanted.pop_back();
  REQUIRE(bed.crash_and_open());
  CHECK(bed.keys() == wanted);
  int seen = 0;
  bool is_done = true;
  bed.store->each_key([&](const StoreKey&) { return ++seen < 3; }, [&](bool d) { is_done = d; });
  bed.run();
  CHECK(seen == 3);
  CHECK_FALSE(is_done);
}

TEST_CASE("http/store: what was there as a walk began comes, whatever is moved meanwhile",
          "[F55]") {
  // All begin in the open segment, more than are visited at once.
  for (unsigned seed = 0; seed < 5; ++seed) {
    std::mt19937 random(seed);
    testing::BedOptions options;
    options.segment_octets = 524'288;
    StoreBed bed(options);
    constexpr int kObjects = 1'200;
    std::set<std::string> missing;
    for (int i = 0; i < kObjects; ++i) {
      const std::string name = "key " + std::to_string(i);
      missing.insert(name);
      if (i < kObjects - 4) REQUIRE(bed.put(name, 20));
    }
    // Four are on their way to the disk.
    for (int i = kObjects - 4; i < kObjects; ++i) {
      auto writer = bed.store->begin({"key " + std::to_string(i)}, "m", {});
      REQUIRE(writer);
      writer->append(content_of("x", 20));
      writer->commit();
    }
    bool is_done = false;
    const auto change = [&] {
      const std::string name = "key " + std::to_string(random() % kObjects);
      if (random() % 2 == 0) bed.store->update_metadata({name}, "n");
    };
    change();
    bed.store->each_key(
        [&](const StoreKey& key) {
          missing.erase(std::string(key.primary));
          change();
          return true;
        },
        [&is_done](bool done) { is_done = done; });
    while (!bed.tasks.empty()) {
      if (!is_done) change();
      bed.step();
    }
    INFO("seed " << seed);
    REQUIRE(is_done);
    REQUIRE(missing.empty());
  }
}

TEST_CASE("http/store: a pattern is removed while it is walked over", "[F55]") {
  StoreBed bed;
  for (int i = 0; i < 30; ++i)
    REQUIRE(bed.put((i % 2 == 0 ? "even " : "odd ") + std::to_string(i), 1'500));
  bed.store->each_key(
      [&](const StoreKey& key) {
        if (key.primary.starts_with("even")) bed.store->remove(key.primary);
        return true;
      },
      {});
  bed.run();
  REQUIRE(bed.crash_and_open());
  CHECK(bed.store->counters().objects == 15);
  for (int i = 0; i < 30; ++i)
    CHECK(bed.has((i % 2 == 0 ? "even " : "odd ") + std::to_string(i)) == (i % 2 == 1));
}

TEST_CASE("http/store: what is too large, or makes no sense, is refused", "[F55][C19]") {
  StoreBed bed;
  const std::string key(kStoreKeyMax + 1, 'k');
  const std::string metadata(kStoreMetadataMax + 1, 'm');
  CHECK_FALSE(bed.store->begin({key}, "m", {}));
  CHECK_FALSE(bed.store->begin({"k"}, metadata, {}));
  FillOptions part;
  part.offset = 5;
  CHECK_FALSE(bed.store->begin({"k"}, "m", part));  // of what length?
  part.length = 4;
  CHECK_FALSE(bed.store->begin({"k"}, "m", part));
  FillOptions four;
  four.length = 4;
  auto writer = bed.store->begin({"k"}, "m", four);
  CHECK(writer->append(content_of("k", 5)) == Append::refused);
  CHECK(writer->is_over());
  bed.run();
  CHECK(bed.store->counters().refused == 5);
  // A head that no segment can hold.
  auto wide = bed.store->begin({"k"}, std::string(16'000, 'm'), {});
  wide->append(content_of("k", 1'000));
  bool is_stored = true;
  wide->commit([&](bool stored) { is_stored = stored; });
  bed.run();
  CHECK_FALSE(is_stored);
  CHECK_FALSE(bed.has("k"));
}

TEST_CASE("http/store: of one URI no more than kStoreVariantsMax variants are kept", "[F55]") {
  testing::BedOptions options;
  options.segments = 16;
  StoreBed bed(options);
  for (size_t i = 0; i < kStoreVariantsMax + 9; ++i)
    REQUIRE(bed.put("a", 100, "m", "v" + std::to_string(i)));
  CHECK(bed.store->counters().objects == kStoreVariantsMax);
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 9; i < kStoreVariantsMax + 9; ++i)
      CHECK(bed.has("a", "v" + std::to_string(i)));
    REQUIRE(bed.crash_and_open());
  }
}

}  // namespace
}  // namespace postern::http
