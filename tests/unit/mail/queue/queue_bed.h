// SPDX-License-Identifier: BSD-3-Clause
// QueueBed: a queue in a folder of its own, on a loop that the test turns.
#pragma once

#include <catch2/catch.hpp>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>

#include "services/mail/queue/queue.h"

namespace postern::mail::test {

class Turns {
 public:
  QueueWriter::Post post() {
    return [this](std::function<void()> task) {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      news_.notify_one();
    };
  }
  // Until `is_true`, for ten seconds at most.
  template <typename Condition>
  bool run_until(Condition is_true) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    std::unique_lock lock(mutex_);
    while (!is_true()) {
      if (!news_.wait_until(lock, end, [this] { return !tasks_.empty(); })) return false;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<std::function<void()>> tasks_;
};

inline std::string temporary_folder() {
  std::string name = std::filesystem::temp_directory_path() / "postern-mail-XXXXXX";
  REQUIRE(mkdtemp(name.data()) != nullptr);
  return name;
}

inline Address address(const std::string& text) {
  const size_t at = text.rfind('@');
  return at == std::string::npos ? Address{text, ""}
                                 : Address{text.substr(0, at), text.substr(at + 1)};
}

inline Envelope envelope(const std::string& from, const std::vector<std::string>& to) {
  Envelope made;
  made.sender = address(from);
  for (const std::string& one : to)
    made.recipients.push_back({address(one), 0, ""});
  return made;
}

struct QueueBed {
  std::string root = temporary_folder();
  std::string folder = root + "/queue";
  QueueLimits limits;
  Turns turns;
  std::vector<std::string> troubles;
  std::unique_ptr<Queue> queue;

  QueueBed() { open(); }
  ~QueueBed() {
    queue.reset();
    std::error_code ignored;
    std::filesystem::remove_all(root, ignored);
  }
  QueueBed(const QueueBed&) = delete;
  QueueBed& operator=(const QueueBed&) = delete;

  Result<void> try_open() {
    queue.reset();
    Queue::Options options;
    options.folder = folder;
    options.limits = limits;
    options.post = turns.post();
    options.on_trouble = [this](const std::string& line) { troubles.push_back(line); };
    auto opened = Queue::open(std::move(options));
    if (!opened) return opened.error();
    queue = std::move(*opened);
    return {};
  }
  void open() { REQUIRE(try_open()); }

  // Its number, or 0: refused.
  uint64_t put(const std::string& text,
               Envelope from_to = envelope("a@a.example", {"b@b.example"})) {
    auto incoming = queue->begin();
    if (!incoming) return 0;
    incoming->append(text);
    uint64_t number = 0;
    bool is_told = false;
    incoming->commit(std::move(from_to), 1000, [&](const Result<uint64_t>& done) {
      is_told = true;
      if (done) number = *done;
    });
    incoming.reset();
    REQUIRE(turns.run_until([&] { return is_told; }));
    return number;
  }
  std::string text(uint64_t number) {
    std::string found;
    bool is_told = false;
    queue->read(number, [&](Result<std::shared_ptr<const Body>> body) {
      is_told = true;
      if (!body) return;
      found.resize((*body)->octets());
      CHECK((*body)->read(0, found) == found.size());
    });
    REQUIRE(turns.run_until([&] { return is_told; }));
    return found;
  }
  // Until all that was asked for is on the disk.
  void settle() {
    bool is_told = false;
    queue->hold(put("settled"), HeldBy::administrator,
                [&](const Result<void>&) { is_told = true; });
    REQUIRE(turns.run_until([&] { return is_told; }));
  }
  size_t files() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder + "/texts"))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  }
};

}  // namespace postern::mail::test
