// SPDX-License-Identifier: BSD-3-Clause
// LogHub: where the lines of all logs go beside their files: the window that administrators read,
// the journal, the collectors. Thread: any for take(); control for all else.
//
// What is no longer configured ends in a thread of its own. What waits on disk for a collector
// stays until a configuration that does not have it is settled; then it is forgotten, and that is
// told.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "control/log/journal_writer.h"
#include "control/log/log_window.h"
#include "control/log/retirement.h"
#include "control/log/syslog_sender.h"

namespace postern {

class LogHub : public LogRelay {
 public:
  // `tell` is told in a line of what was given up; any thread.
  explicit LogHub(std::function<void(const std::string& line)> tell) : tell_(std::move(tell)) {}
  ~LogHub() override;
  LogHub(const LogHub&) = delete;
  LogHub& operator=(const LogHub&) = delete;

  struct Place {
    std::string state_dir;
    std::string host;
  };
  // What is to become of what waits for collectors that are not in the configuration.
  enum class Others { stay, are_forgotten };
  // Collectors that stay are not disturbed.
  void configure(const config::Logging& logging, const Place& place, Others others);
  void take(const LogEntry& entry, bool to_journal) override;
  LogWindow& window() { return window_; }

  struct Collector {
    std::string name;
    SyslogSender::Status status;
  };
  std::vector<Collector> collectors() const;
  // Lines that did not reach the journal.
  uint64_t journal_lost() const;
  // An error while a collector is away or the disk for what waits for it fails.
  Result<void> complaint() const;

 private:
  // Shared, for one that is told differently lives on until its successor has taken over.
  using Senders = std::vector<std::shared_ptr<SyslogSender>>;
  void retire(Senders gone, std::shared_ptr<JournalWriter> journal);
  void forget_others(const config::Logging& logging, const std::string& state_dir);

  const std::function<void(const std::string& line)> tell_;
  LogWindow window_;

  mutable std::mutex mutex_;  // of these
  Senders senders_;           // control: write
  std::shared_ptr<JournalWriter> journal_;
  uint64_t journal_lost_ = 0;  // by those before

  std::string host_;  // control's
  Retirement retirement_;
};

}  // namespace postern
