// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/io_queue.h"

#include <algorithm>
#include <chrono>

#include "services/http/store/crc32c.h"

namespace postern::http {
namespace {

constexpr size_t kBatchMax = 64;   // jobs; four parts each stay below IOV_MAX
constexpr size_t kDeliverMax = 2;  // completions, before others get the owner's thread: 1 ms
constexpr std::chrono::milliseconds kGather(5);  // for which a job waits for others
constexpr uint8_t kZeros[kRecordUnit] = {};

uint64_t octets_of(const WriteJob& job) {
  return job.is_record ? job.header.octets() : job.tail.size();
}

void add_part(std::vector<iovec>& parts, const void* octets, size_t count) {
  // pwritev(2) does not write to them; iovec serves reads as well.
  if (count > 0) parts.push_back({const_cast<void*>(octets), count});
}

void add_parts(std::vector<iovec>& parts, const WriteJob& job) {
  if (!job.is_record) return add_part(parts, job.tail.data(), job.tail.size());
  add_part(parts, &job.header, sizeof job.header);
  add_part(parts, job.body.data(), job.body.size());
  add_part(parts, job.tail.data(), job.tail.size());
  const size_t written = sizeof job.header + job.body.size() + job.tail.size();
  add_part(parts, kZeros, job.header.octets() - written);
}

void seal_job(WriteJob& job, uint32_t salt) {
  if (!job.is_record) return;
  job.header.body_crc = crc32c(salt, job.body.data(), job.body.size());
  job.header.tail_crc = crc32c(salt, job.tail.data(), job.tail.size());
  seal(job.header, salt);
}

bool is_urgent(const WriteJob& job) {
  return job.is_awaited || job.sync != WriteJob::Sync::none;
}

void complete(const std::vector<WriteJob>& jobs) {
  for (const WriteJob& job : jobs)
    if (job.done) job.done(job.is_written);
}

}  // namespace

Chunk::Chunk(uint32_t capacity_octets, uint64_t at)
    : octets(new uint8_t[capacity_octets]), capacity(capacity_octets), object_offset(at) {}

IoQueue::IoQueue(File& file, uint32_t salt, unsigned readers, Post post)
    : file_(file),
      salt_(salt),
      has_threads_(readers > 0),
      post_(std::move(post)),
      self_(std::make_shared<IoQueue*>(this)) {
  if (!has_threads_) return;
  threads_.reserve(readers + 1);
  threads_.emplace_back([this] { write_loop(); });
  for (unsigned i = 0; i < readers; ++i)
    threads_.emplace_back([this] { read_loop(); });
}

void IoQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    self_.reset();
    is_stopping_ = true;
    reads_.clear();
  }
  to_write_.notify_all();
  to_read_.notify_all();
  for (std::thread& thread : threads_)
    thread.join();
  threads_.clear();
  while (!writes_.empty()) {
    std::vector<WriteJob> batch = take_batch();
    run_batch(batch);
  }
  // What completions hold may call back here while it goes.
  while (!finished_.empty())
    const auto gone = std::exchange(finished_, {});
}

void IoQueue::detach() {
  const std::lock_guard lock(mutex_);
  self_.reset();
}

void IoQueue::write(WriteJob job) {
  if (job.is_record) job.offset = job.header.file_offset;
  bool is_news = is_urgent(job);  // to the writer, that is
  {
    const std::lock_guard lock(mutex_);
    writes_.push_back(std::move(job));
    if (!has_threads_) return request_delivery();
    is_news = is_news || writes_.size() == 1 || writes_.size() == kBatchMax;
  }
  // Without the lock, for which it would have to wait at once.
  if (is_news) to_write_.notify_one();
}

void IoQueue::read(std::function<void(File&)> work, std::function<void()> done) {
  const std::lock_guard lock(mutex_);
  reads_.push_back({std::move(work), std::move(done)});
  if (!has_threads_) return request_delivery();
  to_read_.notify_one();
}

void IoQueue::later(std::function<void()> task) {
  finish(std::move(task));
}

bool IoQueue::is_idle() {
  const std::lock_guard lock(mutex_);
  return writes_.empty() && !is_writing_ && !is_delivering_ && finished_.empty();
}

ssize_t IoQueue::last_error() {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void IoQueue::mend() {
  const std::lock_guard lock(mutex_);
  is_broken_ = false;
}

// Ends behind a job that must be on the disk before the next one begins.
std::vector<WriteJob> IoQueue::take_batch() {
  std::vector<WriteJob> batch;
  batch.reserve(std::min(writes_.size(), kBatchMax));
  while (!writes_.empty() && batch.size() < kBatchMax) {
    batch.push_back(std::move(writes_.front()));
    writes_.pop_front();
    if (batch.back().sync == WriteJob::Sync::before) break;
  }
  return batch;
}

void IoQueue::write_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    to_write_.wait(lock, [this] { return is_stopping_ || !writes_.empty(); });
    // Together they cost less.
    to_write_.wait_for(lock, kGather, [this] {
      return is_stopping_ || writes_.size() >= kBatchMax ||
             std::any_of(writes_.begin(), writes_.end(), is_urgent);
    });
    if (writes_.empty()) return;
    auto batch = std::make_shared<std::vector<WriteJob>>(take_batch());
    is_writing_ = true;
    lock.unlock();
    run_batch(*batch);
    finish([batch = std::move(batch)] { complete(*batch); });
    lock.lock();
    is_writing_ = false;
  }
}

void IoQueue::read_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    to_read_.wait(lock, [this] { return is_stopping_ || !reads_.empty(); });
    if (is_stopping_) return;
    ReadJob job = std::move(reads_.front());
    reads_.pop_front();
    lock.unlock();
    job.work(file_);
    // Both are destroyed where `done` is called: what they hold belongs to that thread.
    finish([job = std::move(job)] { job.done(); });
    lock.lock();
  }
}

void IoQueue::run_batch(std::vector<WriteJob>& batch) {
  bool is_sync_wanted = false;
  const std::span<WriteJob> jobs(batch);
  for (size_t from = 0; from < batch.size();) {
    size_t to = from + 1;
    while (to < batch.size() && batch[to].renewed == 0 &&
           batch[to].offset == batch[to - 1].offset + octets_of(batch[to - 1]))
      ++to;
    if (!is_broken_) renew(batch[from]);
    if (!is_broken_) write_joined(jobs.subspan(from, to - from));
    for (; from < to; ++from) {
      batch[from].is_written = !is_broken_;
      is_sync_wanted = is_sync_wanted || batch[from].sync != WriteJob::Sync::none;
    }
  }
  if (!is_sync_wanted) return;
  const ssize_t error = is_broken_ ? last_error_ : file_.sync();
  if (error >= 0) return;
  if (!is_broken_) note_error(error);
  for (WriteJob& job : batch)
    job.is_written = false;
}

void IoQueue::renew(const WriteJob& job) {
  if (job.renewed == 0) return;
  const ssize_t error = file_.renew(job.offset, job.renewed);
  if (error < 0) note_error(error);
}

void IoQueue::write_joined(std::span<WriteJob> jobs) {
  std::vector<iovec> parts;
  parts.reserve(4 * jobs.size());
  for (WriteJob& job : jobs) {
    seal_job(job, salt_);
    add_parts(parts, job);
  }
  const ssize_t written = file_.write(parts, jobs.front().offset);
  if (written < 0) note_error(written);
}

void IoQueue::note_error(ssize_t error) {
  is_broken_ = true;
  const std::lock_guard lock(mutex_);
  last_error_ = error;
}

void IoQueue::finish(std::function<void()> completion) {
  const std::lock_guard lock(mutex_);
  finished_.push_back(std::move(completion));
  if (!is_stopping_) request_delivery();
}

// One closure at a time is under way to the owner's thread.
void IoQueue::request_delivery() {
  if (is_delivery_requested_) return;
  is_delivery_requested_ = true;
  post_([self = std::weak_ptr<IoQueue*>(self_)] {
    if (const auto queue = self.lock()) (*queue)->deliver();
  });
}

void IoQueue::deliver() {
  std::vector<std::function<void()>> finished;
  finished.reserve(kDeliverMax);
  {
    const std::lock_guard lock(mutex_);
    is_delivery_requested_ = false;
  }
  if (!has_threads_) run_here();
  {
    const std::lock_guard lock(mutex_);
    for (; !finished_.empty() && finished.size() < kDeliverMax; finished_.pop_front())
      finished.push_back(std::move(finished_.front()));
    is_delivering_ = true;
    if (!finished_.empty()) request_delivery();
  }
  for (const std::function<void()>& completion : finished)
    completion();
  const std::lock_guard lock(mutex_);
  is_delivering_ = false;
}

// What the threads would do, once.
void IoQueue::run_here() {
  std::vector<WriteJob> batch;
  std::deque<ReadJob> reads;
  {
    const std::lock_guard lock(mutex_);
    batch = take_batch();
    reads.swap(reads_);
    if (!writes_.empty()) request_delivery();
  }
  if (!batch.empty()) {
    auto written = std::make_shared<std::vector<WriteJob>>(std::move(batch));
    run_batch(*written);
    finish([written] { complete(*written); });
  }
  for (ReadJob& job : reads) {
    job.work(file_);
    finish(std::move(job.done));
  }
}

}  // namespace postern::http
