// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/journal_writer.h"

#include <fmt/format.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include <utility>

#include "control/log/log_line.h"

namespace postern {

JournalWriter::JournalWriter() {
  thread_ = std::thread([this] { run(); });
}

JournalWriter::~JournalWriter() {
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void JournalWriter::take(const LogEntry& entry) {
  std::lock_guard lock(mutex_);
  if (queue_.size() >= kQueueMax) {
    ++lost_;
    return;
  }
  queue_.push_back({entry.log, entry.severity, std::string(entry.line)});
  if (queue_.size() == 1) wake_.notify_one();
}

void JournalWriter::run() {
  for (bool is_ending = false; !is_ending;) {
    std::deque<Item> items;
    uint64_t lost = 0;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return is_ending_ || !queue_.empty(); });
      items.swap(queue_);
      lost = std::exchange(lost_, 0);
      is_ending = is_ending_;
    }
    if (lost > 0) {
      items.push_back({config::LogName::error, Severity::warning,
                       fmt::format("{} lines had no room in the queue for the journal", lost)});
    }
    for (const Item& item : items) {
      const std::vector<std::string> fields = journal_fields(item.log, item.severity, item.line);
      std::vector<iovec> parts;
      parts.reserve(fields.size());
      for (const std::string& field : fields)
        parts.push_back({const_cast<char*>(field.data()), field.size()});
      sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
    }
  }
}

std::vector<std::string> journal_fields(config::LogName log, Severity severity,
                                        std::string_view line) {
  std::vector<std::string> fields = {
      "MESSAGE=" + std::string(line), fmt::format("PRIORITY={}", static_cast<unsigned>(severity)),
      "SYSLOG_IDENTIFIER=postern", fmt::format("POSTERN_LOG={}", to_word(log))};
  for (const LogField& field : read_log_line(line)) {
    std::string name = "POSTERN_";
    for (char c : field.key)
      name += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    fields.push_back(name + "=" + field.value);
  }
  return fields;
}

}  // namespace postern
