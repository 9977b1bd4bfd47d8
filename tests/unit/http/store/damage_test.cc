// SPDX-License-Identifier: BSD-3-Clause
// Whatever is wrong with the file, what is served is right, or nothing is.
#include <catch2/catch.hpp>

#include "unit/http/store/store_bed.h"

namespace postern::http {
namespace {

using testing::BedOptions;
using testing::content_of;
using testing::Disk;
using testing::DiskInMemory;
using testing::StoreBed;
using State = Read::State;

struct Known {
  std::string name;
  size_t octets;
};

// Reads all that is found; false: something was wrong. Counts what was whole.
bool is_all_right(StoreBed& bed, const std::vector<Known>& known, size_t& whole) {
  for (const Known& one : known) {
    auto object = bed.find({one.name});
    if (!object) continue;
    if (object->metadata() != "of " + one.name || object->length() != one.octets) return false;
    const auto [octets, state] = bed.read(*object);
    const auto right = content_of(one.name, one.octets);
    if (octets.size() > right.size()) return false;
    if (!std::equal(octets.begin(), octets.end(), right.begin())) return false;
    if (state == State::end && octets.size() != right.size()) return false;
    if (state == State::end) ++whole;
  }
  return true;
}

TEST_CASE("http/store/damage: each octet of the file in turn: never a wrong one is served",
          "[F55]") {
  BedOptions options;
  options.segment_octets = 8'192;
  StoreBed first(options);
  const std::vector<Known> known{{"a", 50}, {"b", 1'500}, {"long", 9'000}, {"c", 700}};
  for (const Known& one : known)
    REQUIRE(first.put(one.name, one.octets, "of " + one.name));
  first.store->update_metadata({"b"}, "of b");
  REQUIRE(first.put("removed", 100));
  REQUIRE(first.remove("removed"));
  REQUIRE(first.open());  // the last segment gets its summary

  StoreBed bed(options, &first.disk);
  size_t refused = 0;
  size_t damaged = 0;
  size_t wrong = 0;
  for (size_t at = 0; at < first.disk.octets.size(); ++at) {
    if (first.disk.octets[at] == 0 && at % 64 != 0) continue;  // far out nothing was written
    bed.store.reset();
    bed.disk = first.disk;
    bed.disk.octets[at] ^= static_cast<uint8_t>(1U << at % 8);
    if (!bed.open()) {
      ++refused;
      continue;
    }
    size_t whole = 0;
    if (!is_all_right(bed, known, whole) || bed.has("removed")) ++wrong;
    if (whole < known.size()) ++damaged;
  }
  CHECK(wrong == 0);
  CHECK(refused == 0);  // there are two superblocks
  CHECK(damaged > 10'000);
}

TEST_CASE("http/store/damage: read with another octet, while it is open", "[F55]") {
  StoreBed bed;
  REQUIRE(bed.put("a", 1'000));
  REQUIRE(bed.put("long", 12'000));
  std::mt19937 random(5);
  for (size_t at = 16'384; at < 16'384 + 14'000; at += 1 + random() % 8) {
    StoreBed other({}, &bed.disk);
    other.disk.octets[at] ^= 0x10;
    for (const auto& [name, length] : {std::pair{"a", 1'000}, {"long", 12'000}}) {
      auto object = other.find({name});
      if (!object) continue;
      const auto [octets, state] = other.read(*object);
      const auto right = content_of(name, static_cast<size_t>(length));
      REQUIRE(std::equal(octets.begin(), octets.end(), right.begin()));
      REQUIRE((state == State::failed || octets == right));
    }
  }
}

TEST_CASE("http/store/damage: files that are none of ours are left as they are", "[F55]") {
  StoreBed bed;
  REQUIRE(bed.put("a", 1'000));
  bed.store.reset();
  std::string wanted;
  SECTION("empty") {
    bed.disk.octets.clear();
    wanted = "no cache of Postern";
  }
  SECTION("zeros") {
    std::fill(bed.disk.octets.begin(), bed.disk.octets.end(), 0);
    wanted = "no cache of Postern";
  }
  SECTION("short") {
    bed.disk.octets.resize(bed.disk.octets.size() - 1);
    wanted = "made with";
  }
  SECTION("long") {
    bed.disk.octets.resize(bed.disk.octets.size() + 1);
    wanted = "made with";
  }
  SECTION("with holes") {
    bed.disk.is_allocated = false;
    wanted = "holes";
  }
  SECTION("of another size than configured") {
    bed.options.octets += 16'384;
    wanted = "are configured";
  }
  SECTION("of another version") {
    for (const size_t at : {size_t{0}, size_t{kSuperblockOctets}}) {
      Superblock block;
      std::memcpy(&block, bed.disk.octets.data() + at, sizeof block);
      block.version = 2;
      seal(block);
      std::memcpy(bed.disk.octets.data() + at, &block, sizeof block);
    }
    wanted = "version 2, not of 1";
  }
  const auto before = bed.disk.octets;
  CHECK_FALSE(bed.open());
  CHECK(bed.error.find(wanted) != std::string::npos);
  CHECK(bed.error.find("format the cache anew") != std::string::npos);
  CHECK(bed.disk.octets == before);
}

TEST_CASE("http/store/damage: one superblock is enough", "[F55]") {
  for (const size_t at : {size_t{0}, size_t{kSuperblockOctets}}) {
    StoreBed bed;
    REQUIRE(bed.put("a", 1'000));
    bed.store.reset();
    std::fill_n(bed.disk.octets.begin() + static_cast<ptrdiff_t>(at), kSuperblockOctets, 0xee);
    REQUIRE(bed.open());
    CHECK(bed.is_right("a", 1'000));
  }
}

// What the world knows of a key: the version that was stored last, and whether it was removed since
// and that was confirmed.
struct Fact {
  int version = 0;
  int stored = 0;      // the latest one that was confirmed
  int removed_to = 0;  // no version up to this may be seen
};

std::string version_name(int key, int version) {
  return std::to_string(key) + " version " + std::to_string(version);
}

using Readers = std::vector<std::unique_ptr<StoredObject>>;

// Somebody reads slowly: an object is held for some time.
void hold(StoreBed& bed, std::mt19937& random, const std::string& name, Readers& readers) {
  if (readers.size() < 8)
    readers.push_back(bed.find({name}));
  else
    readers.erase(readers.begin() + static_cast<ptrdiff_t>(random() % readers.size()));
}

// One step of a random life; `facts` has what was confirmed.
void live(StoreBed& bed, std::mt19937& random, std::map<int, Fact>& facts, Readers& readers) {
  const int key = static_cast<int>(random() % 40);
  const std::string name = "key " + std::to_string(key);
  Fact& fact = facts[key];
  const unsigned what = random() % 16;
  if (what < 9) {
    ++fact.version;
    const auto content =
        content_of(version_name(key, fact.version), random() % 4 == 0 ? 15'000 : random() % 3'000);
    FillOptions options;
    if (random() % 2 == 0) options.length = content.size();
    auto writer = bed.store->begin({name}, std::to_string(fact.version), options);
    if (!writer) return;
    writer->append(content);
    const auto stored = [&fact, version = fact.version](bool is_stored) {
      if (is_stored) fact.stored = std::max(fact.stored, version);
    };
    if (random() % 8 != 0) writer->commit(stored);
  } else if (what < 11) {
    if (auto object = bed.find({name})) bed.read(*object);
  } else if (what < 12) {
    hold(bed, random, name, readers);
  } else if (what < 14) {
    const int version = fact.version;
    bed.store->remove(name, [&fact, version](bool done) {
      if (done) fact.removed_to = std::max(fact.removed_to, version);
    });
  } else if (what == 14) {
    if (auto object = bed.find({name}))
      bed.store->update_metadata({name}, std::string(object->metadata()));
  } else if (random() % 40 == 0) {
    std::map<int, int> versions;
    for (const auto& [number, one] : facts)
      versions[number] = one.version;
    bed.store->clear([&facts, versions](bool done) {
      for (const auto& [number, version] : versions)
        if (done) facts[number].removed_to = std::max(facts[number].removed_to, version);
    });
  }
  for (unsigned steps = random() % 6; steps > 0 && !bed.tasks.empty(); --steps)
    bed.step();
}

// Whether everything that is found is what it says, and nothing that was removed is.
// `is_newest`: nor what something newer had taken the place of.
bool is_true(StoreBed& bed, const std::map<int, Fact>& facts, bool is_newest, size_t& found) {
  for (const auto& [key, fact] : facts) {
    auto object = bed.find({"key " + std::to_string(key)});
    if (!object) continue;
    ++found;
    const int version = std::stoi(std::string(object->metadata()));
    if (version > fact.version || version <= fact.removed_to) return false;
    if (is_newest && version < fact.stored) return false;
    const auto [octets, state] = bed.read(*object);
    if (octets != content_of(version_name(key, version), octets.size())) return false;
    if (state == State::end && octets.size() != object->length()) return false;
  }
  return true;
}

void live_and_die(unsigned seed, bool is_power_cut, size_t& found) {
  std::mt19937 random(seed);
  BedOptions options;
  options.segments = 10 + seed % 3 * 4;
  StoreBed bed(options);
  std::map<int, Fact> facts;
  Readers readers;
  for (int life = 0; life < 3; ++life) {
    const unsigned steps = random() % 300;
    for (unsigned i = 0; i < steps; ++i) {
      bed.disk.is_cold = random() % 4 == 0;
      live(bed, random, facts, readers);
    }
    Disk kept = bed.disk;
    readers.clear();
    if (is_power_cut) kept.cut_power(random);
    bed.store.reset();
    bed.tasks.clear();
    bed.disk = kept;
    REQUIRE(bed.open());
    INFO("seed " << seed << ", life " << life);
    REQUIRE(is_true(bed, facts, !is_power_cut, found));
    // What came back from before is not stored anew: that is what can be seen from now on.
    for (auto& [key, fact] : facts)
      if (is_power_cut) fact.stored = 0;
  }
}

TEST_CASE("http/store/damage: after a crash at any time all is right, what was removed is gone",
          "[F55]") {
  size_t found = 0;
  for (unsigned seed = 1; seed <= 150; ++seed)
    live_and_die(seed, false, found);
  CHECK(found > 5'000);
}

TEST_CASE("http/store/damage: after a power cut, too, with any of what was not synced lost",
          "[F55]") {
  size_t found = 0;
  for (unsigned seed = 1; seed <= 150; ++seed)
    live_and_die(seed, true, found);
  CHECK(found > 2'000);
}

}  // namespace
}  // namespace postern::http
