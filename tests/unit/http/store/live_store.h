// SPDX-License-Identifier: BSD-3-Clause
// A store on a real file, with its threads; the test's thread is the owner's.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "services/http/store/store.h"
#include "unit/http/store/store_bed.h"

namespace postern::http::testing {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "postern-store-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(folder_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path(const std::string& name) const { return folder_ / name; }

 private:
  std::filesystem::path folder_;
};

class LiveStore {
 public:
  LiveStore(const std::string& path, uint64_t octets) {
    options.path = path;
    options.octets = octets;
    options.post = [this](std::function<void()> task) {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      is_there_.notify_one();
    };
    options.on_trouble = [this](const std::string& line) { error = line; };
  }
  ~LiveStore() { store.reset(); }
  LiveStore(const LiveStore&) = delete;
  LiveStore& operator=(const LiveStore&) = delete;

  bool open() {
    store.reset();
    tasks_.clear();
    auto opened = Store::open(options);
    error = opened ? "" : opened.error().text;
    if (opened) store = std::move(*opened);
    return store != nullptr;
  }

  // Runs what has come.
  void run() {
    std::unique_lock lock(mutex_);
    while (!tasks_.empty())
      run_one(lock);
  }
  // Runs what comes until `is_done` says so.
  template <typename IsDone>
  void run_until(IsDone is_done) {
    std::unique_lock lock(mutex_);
    while (!is_done()) {
      is_there_.wait(lock, [this] { return !tasks_.empty(); });
      run_one(lock);
    }
  }

  std::unique_ptr<StoredObject> find(const StoreKey& key) {
    std::unique_ptr<StoredObject> object;
    bool is_answered = false;
    store->find(key, [&](std::unique_ptr<StoredObject> found) {
      object = std::move(found);
      is_answered = true;
    });
    run_until([&] { return is_answered; });
    return object;
  }

  std::pair<std::vector<uint8_t>, Read::State> read(StoredObject& object) {
    std::vector<uint8_t> octets;
    for (;;) {
      const Read read = object.next();
      octets.insert(octets.end(), read.octets.begin(), read.octets.end());
      if (read.state == Read::State::octets) continue;
      if (read.state != Read::State::wait) return {octets, read.state};
      bool is_ready = false;
      object.when_ready([&is_ready] { is_ready = true; });
      run_until([&] { return is_ready; });
    }
  }

  bool put(const std::string& name, size_t octets) {
    auto writer = store->begin({name}, std::to_string(octets), {});
    if (!writer) return false;
    const auto content = content_of(name, octets);
    for (size_t at = 0; at < octets; at += 30'000) {
      const size_t part = std::min<size_t>(30'000, octets - at);
      bool is_drained = true;
      if (writer->append(std::span(content).subspan(at, part)) == Append::full) {
        is_drained = false;
        writer->when_drained([&is_drained] { is_drained = true; });
      }
      run_until([&] { return is_drained; });
    }
    bool is_answered = false;
    bool is_stored = false;
    writer->commit([&](bool stored) {
      is_answered = true;
      is_stored = stored;
    });
    run_until([&] { return is_answered; });
    return is_stored;
  }

  bool is_right(const std::string& name, size_t octets) {
    auto object = find({name});
    if (!object) return false;
    const auto [got, state] = read(*object);
    return state == Read::State::end && got == content_of(name, octets);
  }

  std::vector<std::string> keys() {
    std::vector<std::string> all;
    bool is_done = false;
    store->each_key(
        [&all](const StoreKey& key) {
          all.emplace_back(key.primary);
          return true;
        },
        [&is_done](bool) { is_done = true; });
    run_until([&] { return is_done; });
    return all;
  }

  StoreOptions options;
  std::string error;
  std::unique_ptr<Store> store;

 private:
  void run_one(std::unique_lock<std::mutex>& lock) {
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }

  std::mutex mutex_;
  std::condition_variable is_there_;
  std::deque<std::function<void()>> tasks_;
};

}  // namespace postern::http::testing
