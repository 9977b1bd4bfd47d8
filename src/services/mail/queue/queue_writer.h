// SPDX-License-Identifier: BSD-3-Clause
// QueueWriter: the thread that has the queue's file, so that nobody else waits for the disk.
//
//   control: add(job) ...  ->  thread: all that waits, in order, in one transaction  ->  post(then)
//
// Group commit: what is added while the disk is busy goes into the next transaction; long texts are
// written and synced before theirs. A transaction that fails fails the messages in it, which their
// senders keep; changes of messages that are here are kept and tried again every kRetry, ahead of
// what comes later: they have happened outside, and say who has a message already.
//
// Bounds: one job for each message under way and for each of the queue (Queue's limits), and texts
// of as many octets as Queue lets wait. Threads: all of it control, but run() and below.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/time.h"
#include "services/mail/queue/queue_file.h"

namespace postern::mail {

struct QueueJob {
  // The next octets of a long text.
  struct Text {
    uint64_t number = 0;
    std::string octets;
  };
  // A long text that nobody wants any more.
  struct Drop {
    uint64_t number = 0;
  };
  struct Put {
    QueuedMessage message;
    std::shared_ptr<const std::string> text;  // nullptr: it came by Text
  };
  struct Change {
    uint64_t number = 0;
    std::vector<QueueFile::Change> changes;
  };
  struct Hold {
    uint64_t number = 0;
    HeldBy held_by = HeldBy::nobody;
  };
  struct Scanned {
    uint64_t number = 0;
    std::string front;
    HeldBy held_by = HeldBy::nobody;
  };
  // Others in the place of its recipients.
  struct Replace {
    QueuedMessage message;
  };
  struct Remove {
    uint64_t number = 0;
    bool has_file = false;
  };
  // The text of one in the database; `text` is filled before `then` is called.
  struct Read {
    uint64_t number = 0;
    std::shared_ptr<std::string> text;
  };
  std::variant<Text, Drop, Put, Change, Hold, Scanned, Replace, Remove, Read> work;
  // Once, on the control thread; may be empty. Changes fail only when the writer ends.
  std::function<void(const Result<void>& done)> then;
};

class QueueWriter {
 public:
  static constexpr Duration kRetry = seconds(1);
  using Post = std::function<void(std::function<void()>)>;

  // `post`: runs a closure on the control thread, later; called from the thread. `on_trouble`: on
  // the control thread, a line when the disk begins to refuse, empty when it works again.
  QueueWriter(std::unique_ptr<QueueFile> file, Post post,
              std::function<void(const std::string& line)> on_trouble);
  // Writes what is left, once; nobody is told any more.
  ~QueueWriter();
  QueueWriter(const QueueWriter&) = delete;
  QueueWriter& operator=(const QueueWriter&) = delete;

  void add(QueueJob job);
  // Of texts that wait to be written.
  uint64_t waiting_octets() const { return waiting_octets_; }
  uint64_t commits() const { return commits_; }
  std::string path_of(uint64_t number) const { return file_->path_of(number); }

 private:
  struct Item {
    QueueJob job;
    Result<void> done;
  };
  using Batch = std::vector<Item>;

  void run();
  bool wait_for_work(Batch& batch);
  void work(Batch& batch);
  void write_text(const QueueJob::Text& text);
  void sync_texts(Batch& batch);
  Result<void> sync_text(const QueuedMessage& message);
  Result<void> write(const QueueJob& job);
  Result<void> commit(const Batch& batch);
  void clean(const Batch& batch);
  void conclude(Batch& batch);
  void tell(const Result<void>& done);

  std::unique_ptr<QueueFile> file_;  // run() alone, once it has begun; path_of() is of anybody
  Post post_;
  std::function<void(const std::string&)> on_trouble_;
  std::shared_ptr<std::atomic<bool>> alive_ = std::make_shared<std::atomic<bool>>(true);
  std::atomic<uint64_t> waiting_octets_ = 0;
  std::atomic<uint64_t> commits_ = 0;
  std::set<uint64_t> spoiled_;  // long texts that could not be written whole; run() alone
  bool was_failing_ = false;    // run() alone
  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<QueueJob> jobs_;  // under mutex_, as all below
  bool is_retry_ = false;
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace postern::mail
