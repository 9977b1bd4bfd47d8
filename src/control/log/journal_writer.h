// SPDX-License-Identifier: BSD-3-Clause
// JournalWriter: lines into the journal of systemd, in a thread of its own, for the journal may
// keep its writers waiting. MESSAGE is the line; POSTERN_LOG the log, POSTERN_RULE, POSTERN_ACTION,
// ... the fields of the line. Bounds: kQueueMax lines wait; further ones are counted and told.
//
// Thread: any for take(). What waits at the end is written.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/log/log_output.h"

namespace postern {

class JournalWriter {
 public:
  static constexpr size_t kQueueMax = 16384;

  JournalWriter();
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;
  void take(const LogEntry& entry);

 private:
  struct Item {
    config::LogName log;
    Severity severity;
    std::string line;
  };
  void run();

  std::mutex mutex_;  // of these
  std::condition_variable wake_;
  std::deque<Item> queue_;
  uint64_t lost_ = 0;
  bool is_ending_ = false;
  std::thread thread_;
};

// "NAME=value" each.
std::vector<std::string> journal_fields(config::LogName log, Severity severity,
                                        std::string_view line);

}  // namespace postern
