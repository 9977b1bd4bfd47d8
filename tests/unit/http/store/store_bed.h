// SPDX-License-Identifier: BSD-3-Clause
// A store over a disk in memory that can fail, be cold, or lose what was not brought to it; all on
// one thread, step by step.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "services/http/store/file.h"
#include "services/http/store/rebuild.h"
#include "services/http/store/store.h"

namespace postern::http::testing {

// What outlives the store: the octets, and those that were written and not synced.
struct Disk {
  static constexpr size_t kSector = 512;
  std::vector<uint8_t> octets;
  std::map<size_t, std::vector<uint8_t>> unsynced;  // sector number: what is on the disk itself
  int write_error = 0;                              // errno of every write and sync
  int64_t writes_left = -1;                         // then they fail once; -1: as write_error says
  int read_error = 0;
  bool is_cold = false;  // nothing is in the page cache
  bool is_allocated = true;
  uint64_t syncs = 0;
  uint64_t written = 0;

  // The power goes: of what was not synced some sectors are on the disk, others are not.
  template <typename Random>
  void cut_power(Random& random) {
    for (auto& [sector, old] : unsynced)
      if (random() % 2 == 0) std::copy(old.begin(), old.end(), octets.begin() + sector * kSector);
    unsynced.clear();
  }
};

class DiskInMemory final : public File {
 public:
  explicit DiskInMemory(Disk& disk) : disk_(disk) {}
  ssize_t read_now(std::span<uint8_t> into, uint64_t offset) override {
    return disk_.is_cold ? -EAGAIN : read(into, offset);
  }
  ssize_t read(std::span<uint8_t> into, uint64_t offset) override {
    if (disk_.read_error != 0) return -disk_.read_error;
    if (offset > disk_.octets.size() || into.size() > disk_.octets.size() - offset) return -EIO;
    std::memcpy(into.data(), disk_.octets.data() + offset, into.size());
    return static_cast<ssize_t>(into.size());
  }
  ssize_t write(std::span<iovec> parts, uint64_t offset) override {
    if (disk_.write_error != 0) return -disk_.write_error;
    if (disk_.writes_left >= 0 && disk_.writes_left-- == 0) return -EIO;
    const uint64_t from = offset;
    for (const iovec& part : parts) {
      if (offset + part.iov_len > disk_.octets.size()) return -ENOSPC;
      keep_old(offset, part.iov_len);
      std::memcpy(disk_.octets.data() + offset, part.iov_base, part.iov_len);
      offset += part.iov_len;
    }
    disk_.written += offset - from;
    return static_cast<ssize_t>(offset - from);
  }
  ssize_t renew(uint64_t offset, uint64_t count) override {
    std::vector<uint8_t> zeros(count);
    iovec part{zeros.data(), count};
    return std::min<ssize_t>(write({&part, 1}, offset), 0);
  }
  bool can_renew(uint64_t) override { return true; }
  ssize_t sync() override {
    if (disk_.write_error != 0) return -disk_.write_error;
    ++disk_.syncs;
    disk_.unsynced.clear();
    return 0;
  }
  void expect(uint64_t, uint64_t) override {}
  int fd() const override { return -1; }
  uint64_t octets() const override { return disk_.octets.size(); }
  bool is_allocated() const override { return disk_.is_allocated; }

 private:
  void keep_old(uint64_t offset, size_t count) {
    if (count == 0) return;
    for (size_t s = offset / Disk::kSector; s <= (offset + count - 1) / Disk::kSector; ++s) {
      if (disk_.unsynced.contains(s)) continue;
      const auto at = disk_.octets.begin() + static_cast<ptrdiff_t>(s * Disk::kSector);
      const size_t rest = disk_.octets.size() - s * Disk::kSector;
      const size_t part = std::min(rest, Disk::kSector);
      disk_.unsynced.emplace(s, std::vector<uint8_t>(at, at + static_cast<ptrdiff_t>(part)));
    }
  }
  Disk& disk_;
};

// Octets that say of which object they are.
inline std::vector<uint8_t> content_of(const std::string& name, size_t count, size_t from = 0) {
  uint64_t seed = 0xcbf29ce484222325;
  for (const char c : name)
    seed = (seed ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  std::vector<uint8_t> octets(count);
  for (size_t i = 0; i < count; ++i) {
    uint64_t x = (seed + (from + i) / 8) * 0x9e3779b97f4a7c15;
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9;
    octets[i] = static_cast<uint8_t>((x ^ x >> 32) >> (from + i) % 8 * 8);
  }
  return octets;
}

struct BedOptions {
  uint32_t segments = 8;
  uint32_t segment_octets = 16'384;
  uint64_t objects_max = 0;
  uint64_t queue_octets_max = uint64_t{1} << 20;
  unsigned keep_percent = 50;
};

class StoreBed {
 public:
  explicit StoreBed(const BedOptions& bed = {}) : StoreBed(bed, nullptr) {}
  // On a disk that has been used before.
  StoreBed(const BedOptions& bed, const Disk* disk) {
    options.path = "cache";
    options.octets = file_octets_for(bed.segments, bed.segment_octets);
    options.segment_octets = bed.segment_octets;
    options.objects_max = bed.objects_max;
    options.queue_octets_max = bed.queue_octets_max;
    options.keep_percent = bed.keep_percent;
    options.readers = 0;
    options.post = [this](std::function<void()> task) { tasks.push_back(std::move(task)); };
    options.on_trouble = [this](const std::string& line) { troubles.push_back(line); };
    if (disk != nullptr) {
      this->disk = *disk;
    } else {
      this->disk.octets.resize(options.octets);
      DiskInMemory file(this->disk);
      (void)write_new(file, *new_superblock(options));
    }
    open();
  }
  ~StoreBed() { store.reset(); }

  bool open() {
    store.reset();
    tasks.clear();
    auto opened = Store::open_on(options, std::make_unique<DiskInMemory>(disk));
    error = opened ? "" : opened.error().text;
    if (opened) store = std::move(*opened);
    return store != nullptr;
  }
  // The process is gone at once; what it wrote is in the file.
  bool crash_and_open() {
    const Disk kept = disk;
    store.reset();
    disk = kept;
    return open();
  }

  // Runs what waits, until nothing does.
  void run() {
    while (!tasks.empty())
      step();
  }
  void step() {
    auto task = std::move(tasks.front());
    tasks.pop_front();
    task();
  }

  std::unique_ptr<StoredObject> find(const StoreKey& key) {
    std::unique_ptr<StoredObject> object;
    bool is_answered = false;
    store->find(key, [&](std::unique_ptr<StoredObject> found) {
      object = std::move(found);
      is_answered = true;
    });
    while (!is_answered && !tasks.empty())
      step();
    return object;
  }

  // All octets from the offset on, while they come; and how it ended.
  std::pair<std::vector<uint8_t>, Read::State> read(StoredObject& object) {
    std::vector<uint8_t> octets;
    for (;;) {
      const Read read = object.next();
      octets.insert(octets.end(), read.octets.begin(), read.octets.end());
      if (read.state == Read::State::octets) continue;
      if (read.state != Read::State::wait) return {octets, read.state};
      auto is_ready = std::make_shared<bool>(false);  // may be called when this has returned
      object.when_ready([is_ready] { *is_ready = true; });
      while (!*is_ready && !tasks.empty())
        step();
      if (!*is_ready) return {octets, Read::State::wait};
    }
  }

  // Stores an object of its own content; whether it was.
  bool put(const std::string& name, size_t octets, const std::string& metadata = "m",
           const std::string& variant = {}) {
    FillOptions fill;
    fill.length = octets;
    auto writer = store->begin({name, variant}, metadata, fill);
    if (!writer) return false;
    const auto content = content_of(name + variant, octets);
    for (size_t at = 0; at < octets; at += 3'000)
      writer->append(std::span(content).subspan(at, std::min<size_t>(3'000, octets - at)));
    auto is_stored = std::make_shared<bool>(false);  // may be told when this has returned
    writer->commit([is_stored](bool stored) { *is_stored = stored; });
    run();
    return *is_stored;
  }
  bool has(const std::string& name, const std::string& variant = {}) {
    return find({name, variant}) != nullptr;
  }
  // Whether it is there, whole and right.
  bool is_right(const std::string& name, size_t octets, const std::string& variant = {}) {
    auto object = find({name, variant});
    if (!object) return false;
    const auto [got, state] = read(*object);
    return state == Read::State::end && got == content_of(name + variant, octets);
  }
  bool remove(const std::string& name) {
    auto is_removed = std::make_shared<bool>(false);
    store->remove(name, [is_removed](bool done) { *is_removed = done; });
    run();
    return *is_removed;
  }
  std::vector<std::string> keys() {
    std::vector<std::string> all;
    store->each_key(
        [&all](const StoreKey& key) {
          all.push_back(std::string(key.primary) + std::string(key.variant));
          return true;
        },
        {});
    run();
    std::sort(all.begin(), all.end());
    return all;
  }

  Disk disk;
  StoreOptions options;
  std::deque<std::function<void()>> tasks;
  std::vector<std::string> troubles;
  std::string error;
  std::unique_ptr<Store> store;
};

}  // namespace postern::http::testing
