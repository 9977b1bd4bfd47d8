// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/log_hub.h"

#include <algorithm>
#include <utility>

namespace postern {
namespace {

bool wants_journal(const config::Logging& logging) {
  return logging.security.journal || logging.error.journal || logging.audit.journal ||
         logging.dial.journal || logging.debug.log.journal || logging.alert.log.journal;
}

bool is_same_collector(const config::SyslogTarget& a, const config::SyslogTarget& b) {
  return a.address == b.address && a.port == b.port && a.protocol == b.protocol;
}

}  // namespace

// Threads are made and ended outside the lock, so that no writer of lines waits for them; until the
// new ones stand, lines go to those before.
void LogHub::configure(const config::Logging& logging, const std::string& state_dir,
                       const std::string& host) {
  Senders before = senders_, now;  // control alone writes them
  now.reserve(logging.syslog.size());
  for (const config::SyslogTarget& target : logging.syslog) {
    auto known = std::find_if(before.begin(), before.end(), [&](const auto& sender) {
      return sender && is_same_collector(sender->target(), target);
    });
    std::shared_ptr<SyslogSender> sender = known == before.end() ? nullptr : std::move(*known);
    if (sender && sender->target() == target && host == host_) {
      now.push_back(std::move(sender));
      continue;
    }
    SyslogSender::Settings settings{target, state_dir, host};
    now.push_back(std::make_shared<SyslogSender>(std::move(settings), std::move(sender)));
  }
  host_ = host;
  std::unique_ptr<JournalWriter> journal;
  {
    std::lock_guard lock(mutex_);
    senders_.swap(now);
    if (!wants_journal(logging)) journal = std::move(journal_);
    if (wants_journal(logging) && !journal_) journal_ = std::make_unique<JournalWriter>();
  }
  for (const auto& gone : before) {
    if (gone) gone->discard();
  }
}

void LogHub::take(const LogEntry& entry, bool to_journal) {
  window_.add(entry);
  std::lock_guard lock(mutex_);
  if (to_journal && journal_) journal_->take(entry);
  for (const auto& sender : senders_) {
    if (sender->wants(entry.log)) sender->take(entry);
  }
}

std::vector<LogHub::Collector> LogHub::collectors() const {
  std::lock_guard lock(mutex_);
  std::vector<Collector> list;
  list.reserve(senders_.size());
  for (const auto& sender : senders_)
    list.push_back({collector_text(sender->target()), sender->status()});
  return list;
}

Result<void> LogHub::complaint() const {
  std::string text;
  for (const Collector& collector : collectors()) {
    if (collector.status.fault.empty()) continue;
    text += (text.empty() ? "" : ", ") + collector.name + ": " + collector.status.fault;
  }
  if (text.empty()) return {};
  return Error{ErrorCode::unavailable, text};
}

}  // namespace postern
