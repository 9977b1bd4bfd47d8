// SPDX-License-Identifier: BSD-3-Clause
// LeaseWriter: a thread that writes leases, so that waiting for the disk holds up nothing else.
//
// Group commit: what is handed over while a transaction is under way goes into the next one, and
// under load one begins at most every kGather, so that thousands of leases a second share a few
// hundred waits for the disk. A single lease on a quiet day is written at once. When the disk
// refuses, what was to be written is kept (one change an address), said so, and tried again with
// what comes next and every second. Threads: all of it control, but run().
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "services/dhcp/lease_store.h"

namespace postern::dhcp {

class LeaseWriter {
 public:
  static constexpr Duration kGather = milliseconds(4);

  explicit LeaseWriter(std::unique_ptr<LeaseStore> store);
  // Writes what is left.
  ~LeaseWriter();

  // Hands over; returns the number of this batch. Batches are numbered from 1.
  uint64_t write(std::vector<LeaseChange> changes);

  // Readable when outcome() has news.
  int fd() const { return event_; }
  struct Outcome {
    uint64_t written = 0;  // all batches up to this one are on disk
    uint64_t refused = 0;  // the last batch that the disk refused; 0: none since the last call
    std::string error;     // why
    uint64_t commits = 0;  // transactions in all
  };
  Outcome outcome();

 private:
  void run();
  bool wait_for_work(std::vector<LeaseChange>& batch, uint64_t& number);
  void conclude(const Result<void>& done, std::vector<LeaseChange>&& batch, uint64_t number);

  std::unique_ptr<LeaseStore> store_;  // run() alone, once it has begun
  int event_ = -1;
  std::mutex mutex_;
  std::condition_variable work_;
  std::unordered_map<uint32_t, LeaseChange> queue_;  // under mutex_, as all below
  uint64_t queued_ = 0;                              // the last batch that is in the queue
  bool is_retry_ = false;                            // the disk refused before
  bool is_ending_ = false;
  Outcome outcome_;
  std::thread thread_;
};

}  // namespace postern::dhcp
