// SPDX-License-Identifier: BSD-3-Clause
// LogHub: where the lines of all logs go beside their files: the window that administrators read,
// the journal, the collectors. Thread: any for take(); control for all else.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "control/log/journal_writer.h"
#include "control/log/log_window.h"
#include "control/log/syslog_sender.h"

namespace postern {

class LogHub : public LogRelay {
 public:
  // Collectors that stay are not disturbed; what waits for one that goes is forgotten.
  void configure(const config::Logging& logging, const std::string& state_dir,
                 const std::string& host);
  void take(const LogEntry& entry, bool to_journal) override;
  LogWindow& window() { return window_; }

  struct Collector {
    std::string name;
    SyslogSender::Status status;
  };
  std::vector<Collector> collectors() const;
  // An error while a collector is away or has lost lines.
  Result<void> complaint() const;

 private:
  LogWindow window_;
  // Shared, for one that is told differently lives on until its successor has taken over.
  using Senders = std::vector<std::shared_ptr<SyslogSender>>;

  mutable std::mutex mutex_;  // of these
  Senders senders_;           // control: write
  std::unique_ptr<JournalWriter> journal_;
  std::string host_;  // control's
};

}  // namespace postern
