// SPDX-License-Identifier: BSD-3-Clause
// IoQueue: what waits for the disk, beside the owner's thread: one thread that writes and syncs in
// the order of the jobs, and a few that read what is not in the page cache.
//
// The writer waits some milliseconds for further jobs, unless somebody waits for one of them, joins
// those that lie one behind the other into one system call, and the syncs of a batch into one. When
// a write or a sync fails it stops: every job behind it fails untried, until mend(); so nothing is
// ever reported as written behind something that was not.
//
// Bounds: none here; the engine counts what it queues. Without threads (`readers` 0, for tests) the
// jobs are run by the closures that go to `post`.
// Thread: the public functions: the store's; completions are called there.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "services/http/store/file.h"
#include "services/http/store/format.h"

namespace postern::http {

// Octets of a body, or of a record as it was read. Shared by the fill, those who read along and the
// writer's queue; after it was queued nobody changes what is in [0, used).
struct Chunk {
  Chunk(uint32_t capacity, uint64_t at);
  std::unique_ptr<uint8_t[]> octets;
  uint32_t capacity = 0;
  uint32_t used = 0;
  uint64_t object_offset = 0;
  std::span<const uint8_t> view() const { return {octets.get(), used}; }
};

struct WriteJob {
  enum class Sync {
    none,
    soon,    // done when it is on the disk
    before,  // on the disk before the next job begins
  };
  uint64_t offset = 0;  // a record's is in its header
  bool is_record = false;
  RecordHeader header;                 // of a record; the writer adds the sums
  std::shared_ptr<const Chunk> chunk;  // that has the body
  std::span<const uint8_t> body;
  std::vector<uint8_t> tail;  // of a record; or all that is to be written
  uint64_t renewed = 0;       // octets from `offset` on that are renewed (File::renew) first
  Sync sync = Sync::none;
  bool is_awaited = false;  // written at once, with all before it
  std::function<void(bool is_written)> done;
  bool is_written = false;  // writer: write, owner: read in `done`
};

class IoQueue {
 public:
  using Post = std::function<void(std::function<void()>)>;

  IoQueue(File& file, uint32_t salt, unsigned readers, Post post);
  ~IoQueue() { stop(); }
  // Writes what is queued; reads that nobody began are dropped; no completion is called any more.
  void stop();
  // The owner calls nothing more, and nothing is called there: the rest may be on any thread.
  void detach();

  void write(WriteJob job);
  // `work` on another thread, then `done` here. `work` owns what it touches.
  void read(std::function<void(File&)> work, std::function<void()> done);
  // Later, here.
  void later(std::function<void()> task);
  // No write is queued, under way, or has its completion to come.
  bool is_idle();
  // Lets the writer try again; it must be idle.
  void mend();
  // Minus the errno of the write that failed last.
  ssize_t last_error();
  File& file() { return file_; }

 private:
  struct ReadJob {
    std::function<void(File&)> work;
    std::function<void()> done;
  };

  void write_loop();
  void read_loop();
  // With `mutex_` held.
  std::vector<WriteJob> take_batch();
  void run_batch(std::vector<WriteJob>& batch);
  void renew(const WriteJob& job);
  void write_joined(std::span<WriteJob> jobs);
  void note_error(ssize_t error);
  void finish(std::function<void()> completion);
  void request_delivery();  // with `mutex_` held
  void deliver();
  void run_here();

  File& file_;
  const uint32_t salt_;
  const bool has_threads_;
  Post post_;
  bool is_broken_ = false;  // writer; owner in mend(), while nothing is queued

  std::mutex mutex_;  // guards what follows
  std::condition_variable to_write_;
  std::condition_variable to_read_;
  std::deque<WriteJob> writes_;
  std::deque<ReadJob> reads_;
  std::deque<std::function<void()>> finished_;
  bool is_delivering_ = false;
  ssize_t last_error_ = 0;
  bool is_writing_ = false;
  bool is_delivery_requested_ = false;
  bool is_stopping_ = false;

  std::vector<std::thread> threads_;
  std::shared_ptr<IoQueue*> self_;  // shared with closures in `post`, which may outlive this
};

}  // namespace postern::http
