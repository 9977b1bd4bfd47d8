// SPDX-License-Identifier: BSD-3-Clause
// SyslogSender: everything for one collector, in a thread of its own.
//
//   any thread -> queue (memory) -> syslog messages -> Backlog (memory, disk) -> CollectorLink
//
// While the collector is away, or acknowledges nothing, the backlog grows, onto disk within a
// second, and the connection is tried again, every 5 s at the latest. What the queue or the backlog
// had no room for is counted and told in a line at the place where it is missing. At its end the
// backlog stays on disk, for whoever has the same collector next. Bounds: kQueueMax lines and
// kQueueBytesMax in memory, queue_mib on disk, kInFlightMax.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "control/log/backlog.h"
#include "control/log/collector_link.h"
#include "control/log/syslog_message.h"

namespace postern {

class SyslogSender {
 public:
  static constexpr size_t kQueueMax = 32768;
  static constexpr size_t kQueueBytesMax = size_t{8} << 20;
  static constexpr size_t kInFlightMax = 8192;

  struct Settings {
    config::SyslogTarget target;
    std::string state_dir;  // for the backlog
    std::string host;
  };
  // `before` had the same collector: it ends, and its backlog is taken over, before anything is
  // sent. Lines may be given at once; they wait for start().
  explicit SyslogSender(Settings settings, std::shared_ptr<SyslogSender> before = nullptr);
  ~SyslogSender();  // ends it
  // `ready`: when others have ended that may have had the same collector.
  void start(std::shared_future<void> ready = {});
  // Sends what goes at once, keeps the rest. The second one waits for that.
  void begin_end();
  void end();
  SyslogSender(const SyslogSender&) = delete;
  SyslogSender& operator=(const SyslogSender&) = delete;

  const config::SyslogTarget& target() const { return settings_.target; }
  bool wants(config::LogName log) const;
  // Copies the line. Thread: any.
  void take(const LogEntry& entry);

  struct Status {
    bool is_open = false;            // somebody is there and acknowledges
    std::string fault;               // of the last attempt
    uint64_t backlog_bytes = 0;      // on the way and waiting
    uint64_t arrived = 0, lost = 0;  // messages
  };
  Status status() const;  // thread: any

 private:
  struct Item {
    config::LogName log;
    Severity severity;
    int64_t wall_ns;
    std::string line;
  };
  void run();
  bool wait_for_work(bool is_busy);
  void take_queue();
  void tell_lost(uint64_t lines);
  void look_after_link();
  void send_some();
  void keep();
  void tell_status();

  const Settings settings_;
  SyslogOrigin origin_;
  mutable std::mutex mutex_;  // of these
  std::condition_variable wake_;
  std::deque<Item> queue_;
  size_t queue_bytes_ = 0;
  uint64_t queue_lost_ = 0;
  bool is_ending_ = false;
  Status status_;

  // The thread's own.
  std::shared_ptr<SyslogSender> before_;
  Backlog backlog_;
  std::unique_ptr<CollectorLink> link_;
  std::shared_future<void> ready_;
  CollectorLink::Clock::time_point retry_at_, spill_at_;
  CollectorLink::Clock::time_point moved_at_;  // nothing was on its way, or something has arrived
  unsigned attempts_ = 0;
  std::string link_fault_, disk_fault_;
  uint64_t arrived_ = 0, lost_ = 0;
  size_t unsaved_ = 0;  // messages that its end could not keep
  std::thread thread_;
};

// "tls 192.0.2.9:6514".
std::string collector_text(const config::SyslogTarget& target);
// Where backlogs are, and that of a collector there: "syslog-tls-192.0.2.9-6514".
std::string spool_directory(const std::string& state_dir);
std::string spool_name(const config::SyslogTarget& target);

}  // namespace postern
