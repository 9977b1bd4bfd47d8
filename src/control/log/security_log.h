// SPDX-License-Identifier: BSD-3-Clause
// SecurityLog: the logging thread. It drains the ring of every worker, formats the records and
// writes them to STATE_DIR/log/security.log, to standard error, or both.
//
//   worker -> ring (8192 records) -> this thread -> line -> sinks
//
// A worker never waits: what its ring had no room for is counted by it, and the count is written as
// a line of its own ("module=log action=lost records=N"), so that lines and lost ones add up (F67).
// Likewise for refusals that came faster than the log is to grow ("action=suppressed reason=R").
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/time.h"
#include "control/config/model.h"
#include "control/log/generation_names.h"
#include "control/log/log_output.h"
#include "control/log/user_names.h"
#include "dataplane/packet/counters.h"
#include "dataplane/packet/log_record.h"
#include "dataplane/table/spsc_ring.h"

namespace postern {

class Doorbell;

class SecurityLog {
 public:
  struct Source {
    SpscRing<LogRecord>* ring = nullptr;
    const WorkerCounters* counters = nullptr;  // for what was lost
  };
  struct Settings {
    std::vector<Source> sources;  // one a worker; outlive the log
    Doorbell* bell = nullptr;     // rung when a ring has records
    const GenerationNames* names = nullptr;
    const UserNames* users = nullptr;
    std::function<Instant()> now;  // the clock of the records; any thread
    std::string state_dir;
    // A rule with alert: true has matched; the logging thread calls it.
    std::function<void(const std::string& rule, std::string_view text)> alert;
  };
  explicit SecurityLog(Settings settings);
  ~SecurityLog();  // writes what is left
  SecurityLog(const SecurityLog&) = delete;
  SecurityLog& operator=(const SecurityLog&) = delete;

  // Thread: control. Where lines go from now on, and the name of this gateway in them. An error
  // leaves lines where they go.
  Result<void> configure(const config::LogFile& settings, const std::string& host);
  LogOutput& output() { return output_; }
  // Starts the thread; configure() comes first.
  void start();
  // Thread: control. Joins after the rings are empty; workers have stopped.
  void stop();

  // Thread: any. Lines so far, and how many of them some sink could not write (the disk is full).
  uint64_t lines() const { return lines_.load(std::memory_order_relaxed); }
  uint64_t unwritten() const { return output_.unwritten(); }

 private:
  struct Writer;
  void run();
  void follow_host(Writer& writer);
  bool drain(Writer& writer);
  bool write(Writer& writer, const LogRecord& record, int64_t offset_ns);
  void tell_suppressed(Writer& writer, bool is_last);

  Settings settings_;
  int stop_fd_ = -1;
  std::atomic<bool> stopping_{false};  // control: set, logging thread: read
  std::atomic<uint64_t> lines_{0};     // logging thread: write
  std::mutex host_mutex_;
  std::string host_ = "postern";              // under the mutex
  std::atomic<uint32_t> host_generation_{1};  // control: write, with the host
  LogOutput output_{config::LogName::security};
  std::thread thread_;
};

}  // namespace postern
