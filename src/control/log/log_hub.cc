// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/log_hub.h"

#include <dirent.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace postern {
namespace {

bool wants_journal(const config::Logging& logging) {
  return std::any_of(logging.files.begin(), logging.files.end(),
                     [](const config::LogFile& log) { return log.journal; });
}

bool is_same_collector(const config::SyslogTarget& a, const config::SyslogTarget& b) {
  return a.address == b.address && a.port == b.port && a.protocol == b.protocol;
}

// The names of the directories in which lines wait for collectors.
std::set<std::string> spools(const std::string& directory) {
  std::set<std::string> names;
  std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(directory.c_str()), closedir);
  if (!listing) return names;
  while (const dirent* entry = readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name.substr(0, 7) == "syslog-") names.emplace(name);
  }
  return names;
}

}  // namespace

LogHub::~LogHub() {
  Senders senders;
  std::shared_ptr<JournalWriter> journal;
  {
    std::lock_guard lock(mutex_);
    senders.swap(senders_);
    journal.swap(journal_);
  }
  retire(std::move(senders), std::move(journal));
}

// The new ones get their lines before those before end: no line falls between them.
void LogHub::configure(const config::Logging& logging, const Place& place, Others others) {
  Senders before = senders_, now, fresh;  // control alone writes them
  now.reserve(logging.syslog.size());
  for (const config::SyslogTarget& target : logging.syslog) {
    auto known = std::find_if(before.begin(), before.end(), [&](const auto& sender) {
      return sender && is_same_collector(sender->target(), target);
    });
    std::shared_ptr<SyslogSender> sender = known == before.end() ? nullptr : std::move(*known);
    if (sender && sender->target() == target && place.host == host_) {
      now.push_back(std::move(sender));
      continue;
    }
    SyslogSender::Settings settings{target, place.state_dir, place.host};
    now.push_back(std::make_shared<SyslogSender>(std::move(settings), std::move(sender)));
    fresh.push_back(now.back());
  }
  host_ = place.host;
  before.erase(std::remove(before.begin(), before.end(), nullptr), before.end());
  std::shared_ptr<JournalWriter> journal;
  {
    std::lock_guard lock(mutex_);
    senders_.swap(now);
    if (!wants_journal(logging)) journal = std::move(journal_);
    if (wants_journal(logging) && !journal_) journal_ = std::make_shared<JournalWriter>();
  }
  now.clear();  // their successors hold them
  for (const auto& sender : fresh)
    sender->start(retirement_.done());
  retire(std::move(before), std::move(journal));
  if (others == Others::are_forgotten) forget_others(logging, place.state_dir);
}

// What waits for them stays on disk.
void LogHub::retire(Senders gone, std::shared_ptr<JournalWriter> journal) {
  if (gone.empty() && !journal) return;
  for (const auto& sender : gone)
    sender->begin_end();
  retirement_.add([this, gone = std::move(gone), journal = std::move(journal)] {
    for (const auto& sender : gone)
      sender->end();
    if (!journal) return;
    if (const uint64_t left = journal->end(); left > 0) {
      tell_(fmt::format("journal: {} lines were given up", left));
    }
    std::lock_guard lock(mutex_);
    journal_lost_ += journal->lost();
  });
}

void LogHub::forget_others(const config::Logging& logging, const std::string& state_dir) {
  std::set<std::string> known;
  for (const config::SyslogTarget& target : logging.syslog)
    known.insert(spool_name(target));
  retirement_.add([this, directory = spool_directory(state_dir), known = std::move(known)] {
    for (const std::string& name : spools(directory)) {
      if (known.count(name) > 0) continue;
      Backlog backlog(directory + "/" + name, 0);
      if (!backlog.open()) continue;
      const uint64_t lines = backlog.discard();
      if (lines == 0) continue;
      tell_(
          fmt::format("{}: {} lines waited for this collector, which is not configured any more; "
                      "they were discarded",
                      name, lines));
    }
  });
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

uint64_t LogHub::journal_lost() const {
  std::lock_guard lock(mutex_);
  return journal_lost_ + (journal_ ? journal_->lost() : 0);
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
