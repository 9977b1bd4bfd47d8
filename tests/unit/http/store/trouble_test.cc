// SPDX-License-Identifier: BSD-3-Clause
// C19: a disk that is full or fails never hurts who only wants a page.
#include <catch2/catch.hpp>

#include "unit/http/store/store_bed.h"

namespace postern::http {
namespace {

using testing::content_of;
using testing::StoreBed;
using State = Read::State;

TEST_CASE("http/store/trouble: a full disk stops storing, with one line; reading goes on",
          "[C19]") {
  StoreBed bed;
  REQUIRE(bed.put("before", 1'000));
  auto writer = bed.store->begin({"under way"}, "m", {});
  auto reader = bed.store->find_fill({"under way"});
  writer->append(content_of("under way", 5'000));
  bed.disk.write_error = ENOSPC;
  bool is_stored = true;
  writer->commit([&](bool stored) { is_stored = stored; });
  CHECK_FALSE(bed.put("other", 1'000));
  bed.run();
  CHECK_FALSE(is_stored);
  // Who read along still has all of it in memory.
  CHECK(bed.read(*reader).first == content_of("under way", 5'000));
  for (int i = 0; i < 20; ++i)
    CHECK_FALSE(bed.put("more " + std::to_string(i), 1'000));
  CHECK(bed.troubles ==
        std::vector<std::string>{"cache: storing stopped: No space left on device; requests are "
                                 "served without it"});
  CHECK(bed.store->counters().is_failing);
  CHECK(bed.store->counters().refused >= 20);
  CHECK(bed.store->counters().queued_octets == 0);
  CHECK(bed.is_right("before", 1'000));
  CHECK_FALSE(bed.has("under way"));
  CHECK_FALSE(bed.remove("before"));  // not for good
  CHECK_FALSE(bed.has("before"));     // but for now
  bool is_done = true;
  bed.store->update_metadata({"before"}, "m", [&](bool done) { is_done = done; });
  bed.run();
  CHECK_FALSE(is_done);
}

TEST_CASE("http/store/trouble: what is longer than the file is not stored, and jams nothing",
          "[C19]") {
  StoreBed bed;
  const size_t whole_file = bed.store->counters().octets;
  for (const bool has_length : {true, false}) {
    FillOptions fill;
    if (has_length) fill.length = whole_file * 2;
    auto writer = bed.store->begin({"long"}, "m", fill);
    REQUIRE(writer);
    const auto content = content_of("long", 3'000);
    size_t appended = 0;
    while (appended < whole_file * 2 && writer->append(content) != Append::refused) {
      appended += content.size();
      bed.run();
    }
    bool is_stored = true;
    writer->commit([&](bool stored) { is_stored = stored; });
    writer.reset();
    bed.run();
    CHECK_FALSE(is_stored);
    CHECK(bed.store->counters().queued_octets == 0);
    CHECK(bed.store->counters().fills == 0);
    CHECK(bed.put("other", 1'000));
    CHECK(bed.is_right("other", 1'000));
  }
}

TEST_CASE("http/store/trouble: fills that hold the whole file between them do not wait for ever",
          "[C19]") {
  StoreBed bed;
  const size_t whole_file = bed.store->counters().octets;
  std::vector<std::unique_ptr<StoreWriter>> writers;
  for (int i = 0; i < 4; ++i)
    writers.push_back(bed.store->begin({"long " + std::to_string(i)}, "m", {}));
  const auto content = content_of("long", 3'000);
  for (size_t at = 0; at < whole_file; at += content.size()) {
    for (const auto& writer : writers)
      static_cast<void>(writer->append(content));
    bed.run();
  }
  for (const auto& writer : writers)
    writer->commit();
  writers.clear();
  bed.run();
  CHECK(bed.store->counters().queued_octets == 0);
  CHECK(bed.put("other", 1'000));
}

TEST_CASE("http/store/trouble: storing goes on when the disk does, with one line", "[C19]") {
  StoreBed bed;
  REQUIRE(bed.put("before", 1'000));
  bed.disk.write_error = EIO;
  CHECK_FALSE(bed.put("lost", 1'000));
  for (int i = 0; i < 3; ++i) {
    bed.store->retry();
    bed.run();
    CHECK_FALSE(bed.put("lost", 1'000));
  }
  CHECK(bed.troubles.size() == 1);
  bed.disk.write_error = 0;
  CHECK_FALSE(bed.put("lost", 1'000));  // nobody has tried
  bed.store->retry();
  REQUIRE(bed.put("after", 1'000));
  CHECK(bed.troubles.size() == 2);
  CHECK(bed.troubles.back() == "cache: storing works again");
  CHECK_FALSE(bed.store->counters().is_failing);
  for (int round = 0; round < 2; ++round) {
    CHECK(bed.is_right("before", 1'000));
    CHECK(bed.is_right("after", 1'000));
    CHECK_FALSE(bed.has("lost"));
    REQUIRE(bed.crash_and_open());
  }
  // Round and round, also through the segment that has no summary.
  for (int i = 0; i < 300; ++i)
    REQUIRE(bed.put("key " + std::to_string(i), 2'000));
}

TEST_CASE("http/store/trouble: what was removed after the disk came back stays away",
          "[C19][F55]") {
  StoreBed bed;
  REQUIRE(bed.put("a", 1'000));
  bed.disk.write_error = EIO;
  CHECK_FALSE(bed.put("b", 1'000));
  bed.disk.write_error = 0;
  bed.store->retry();
  REQUIRE(bed.remove("a"));
  REQUIRE(bed.crash_and_open());
  CHECK_FALSE(bed.has("a"));
}

TEST_CASE("http/store/trouble: fails at any write of a life, and never says what is not", "[C19]") {
  for (int after = 0; after < 60; ++after) {
    StoreBed bed;
    std::vector<std::string> stored;
    std::vector<std::string> removed;
    for (int i = 0; i < 60; ++i) {
      bed.disk.write_error = i == after ? EIO : 0;
      if (i == after + 5) bed.store->retry();
      const std::string name = "key " + std::to_string(i);
      if (bed.put(name, 3'000)) stored.push_back(name);
      if (i % 5 == 0 && bed.remove(name)) removed.push_back(name);
    }
    CHECK(stored.size() >= 50);
    REQUIRE(bed.crash_and_open());
    for (const std::string& name : removed)
      CHECK_FALSE(bed.has(name));
    if (after < 54) CHECK(bed.is_right("key 59", 3'000));
  }
}

TEST_CASE("http/store/trouble: what was not synced when a write behind it failed is not confirmed",
          "[C19][F55]") {
  for (int64_t writes = 0; writes < 6; ++writes) {
    StoreBed bed;
    REQUIRE(bed.put("a", 1'000));
    bed.disk.unsynced.clear();
    bool is_removed = false;
    bed.store->remove("a", [&is_removed](bool done) { is_removed = done; });
    // Elsewhere in the file, so that it is another write of the same batch.
    bed.store->clear();
    bed.disk.writes_left = writes;
    bed.run();
    const testing::Disk kept = bed.disk;
    bed.store.reset();
    bed.disk = kept;
    for (auto& [sector, old] : bed.disk.unsynced)
      std::copy(old.begin(), old.end(),
                bed.disk.octets.begin() + static_cast<ptrdiff_t>(sector * testing::Disk::kSector));
    bed.disk.unsynced.clear();
    REQUIRE(bed.open());
    INFO(writes << " writes");
    CHECK((!is_removed || !bed.has("a")));
  }
}

TEST_CASE("http/store/trouble: removals and updates that wait have a bound", "[C19]") {
  StoreBed bed;
  REQUIRE(bed.put("a", 1'000));
  size_t confirmed = 0;
  size_t refused = 0;
  for (size_t i = 0; i < kStoreRemovalsMax + 10; ++i)
    bed.store->remove("b", [&](bool done) { ++(done ? confirmed : refused); });
  bed.run();
  CHECK(confirmed == kStoreRemovalsMax);
  CHECK(refused == 10);
  const std::string metadata(60'000, 'm');
  confirmed = refused = 0;
  bed.disk.is_cold = true;
  for (size_t i = 0; i < 100; ++i)
    bed.store->update_metadata({"a"}, metadata, [&](bool done) { ++(done ? confirmed : refused); });
  CHECK(bed.store->counters().queued_octets <= bed.options.queue_octets_max);
  bed.run();
  CHECK(bed.store->counters().queued_octets == 0);
  CHECK(confirmed + refused == 100);
  CHECK(refused >= 80);
}

TEST_CASE("http/store/trouble: what cannot be read is not there", "[C19]") {
  StoreBed bed;
  REQUIRE(bed.put("a", 1'000));
  REQUIRE(bed.put("long", 12'000));
  auto object = bed.find({"long"});
  for (const bool is_cold : {false, true}) {
    bed.disk.is_cold = is_cold;
    bed.disk.read_error = EIO;
    CHECK_FALSE(bed.has("a"));
    CHECK(bed.read(*object).second == State::failed);
    bed.disk.read_error = 0;
    CHECK(bed.is_right("a", 1'000));
    object = bed.find({"long"});
  }
  CHECK(bed.store->counters().errors == 4);
}

TEST_CASE("http/store/trouble: a store that is detached calls nobody, and writes what it has",
          "[C19]") {
  StoreBed bed;
  REQUIRE(bed.put("kept", 1'000));
  auto writer = bed.store->begin({"last"}, "m", {});
  writer->append(content_of("last", 1'000));
  bool is_told = false;
  writer->commit([&](bool) { is_told = true; });
  bed.store->remove("kept", [&](bool) { is_told = true; });
  writer.reset();
  bed.store->detach();
  bed.run();
  CHECK_FALSE(is_told);
  REQUIRE(bed.open());
  CHECK_FALSE(is_told);
  CHECK(bed.is_right("last", 1'000));
  CHECK_FALSE(bed.has("kept"));
}

TEST_CASE("http/store/trouble: an index that nobody wants any more is not read to its end",
          "[C19]") {
  StoreBed bed;
  for (int i = 0; i < 40; ++i)
    REQUIRE(bed.put("object " + std::to_string(i), 2'000));
  uint64_t read = 0;
  bed.options.on_progress = [&](uint64_t part, uint64_t all) {
    CHECK(all > 2);
    read = part;
    return part < 2;
  };
  CHECK_FALSE(bed.open());
  CHECK(read == 2);
  bed.options.on_progress = {};
  CHECK(bed.open());
}

}  // namespace
}  // namespace postern::http
