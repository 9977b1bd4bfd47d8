// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/lease_writer.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>

#include "base/assert.h"

namespace postern::dhcp {
namespace {

constexpr std::chrono::seconds kRetry(1);

}  // namespace

LeaseWriter::LeaseWriter(std::unique_ptr<LeaseStore> store)
    : store_(std::move(store)), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  POSTERN_ASSERT(event_ >= 0);
  thread_ = std::thread([this] { run(); });
}

LeaseWriter::~LeaseWriter() {
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  work_.notify_one();
  thread_.join();
  close(event_);
}

uint64_t LeaseWriter::write(std::vector<LeaseChange> changes) {
  uint64_t number = 0;
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    was_empty = queue_.empty();
    for (LeaseChange& change : changes) {
      uint32_t address = change.lease.address.number;
      queue_.insert_or_assign(address, std::move(change));
    }
    number = ++queued_;
  }
  if (was_empty) work_.notify_one();
  return number;
}

LeaseWriter::Outcome LeaseWriter::outcome() {
  uint64_t count = 0;
  [[maybe_unused]] ssize_t n = read(event_, &count, sizeof count);
  std::lock_guard lock(mutex_);
  Outcome news = outcome_;
  outcome_.refused = 0;
  return news;
}

void LeaseWriter::run() {
  pthread_setname_np(pthread_self(), "dhcp-leases");
  std::vector<LeaseChange> batch;
  uint64_t number = 0;
  while (wait_for_work(batch, number)) {
    auto begun = std::chrono::steady_clock::now();
    auto done = store_->commit(batch);
    conclude(done, std::move(batch), number);
    batch.clear();
    std::this_thread::sleep_until(begun + std::chrono::nanoseconds(kGather.ns));
  }
}

// False: the end, with nothing left to write.
bool LeaseWriter::wait_for_work(std::vector<LeaseChange>& batch, uint64_t& number) {
  std::unique_lock lock(mutex_);
  auto has_news = [this] { return is_ending_ || outcome_.written < queued_; };
  if (is_retry_) {
    work_.wait_for(lock, kRetry, [this] { return is_ending_; });
  } else {
    work_.wait(lock, has_news);
  }
  if (is_ending_ && (queue_.empty() || is_retry_)) return false;
  for (auto& [address, change] : queue_)
    batch.push_back(std::move(change));
  queue_.clear();
  number = queued_;
  return true;
}

void LeaseWriter::conclude(const Result<void>& done, std::vector<LeaseChange>&& batch,
                           uint64_t number) {
  {
    std::lock_guard lock(mutex_);
    is_retry_ = !done;
    if (done) {
      outcome_.written = number;
      ++outcome_.commits;
    } else {
      // What came in meanwhile is newer.
      for (LeaseChange& change : batch) {
        uint32_t address = change.lease.address.number;
        queue_.try_emplace(address, std::move(change));
      }
      outcome_.refused = number;
      outcome_.error = done.error().text;
    }
  }
  uint64_t one = 1;
  [[maybe_unused]] ssize_t n = ::write(event_, &one, sizeof one);
}

}  // namespace postern::dhcp
