// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/journal_writer.h"

#include <fmt/format.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "control/log/log_line.h"

namespace postern {
namespace {

constexpr const char* kJournalSocket = "/run/systemd/journal/socket";

struct Item {
  config::LogName log;
  Severity severity;
  std::string line;
};

}  // namespace

// Of the owner and the thread together: the thread may be left to itself.
struct JournalWriter::State {
  std::mutex mutex;  // of all below
  std::condition_variable wake, ended;
  std::deque<Item> queue;
  bool is_sending = false;
  uint64_t untold = 0, lost = 0;
  bool is_ending = false, is_given_up = false, has_ended = false;
};

JournalWriter::JournalWriter(Send send) : state_(std::make_shared<State>()) {
  thread_ = std::thread([state = state_, send] { run(*state, send); });
}

JournalWriter::~JournalWriter() {
  end();
}

uint64_t JournalWriter::end() {
  if (!thread_.joinable()) return 0;
  uint64_t left = 0;
  std::unique_lock lock(state_->mutex);
  state_->is_ending = true;
  state_->wake.notify_one();
  auto has_ended = [this] { return state_->has_ended; };
  if (!state_->ended.wait_for(lock, kFarewell, has_ended)) {
    left = state_->queue.size() + (state_->is_sending ? 1 : 0);
    state_->lost += left;
    state_->queue.clear();
    state_->is_given_up = true;
  }
  const bool is_over = state_->ended.wait_for(lock, kFarewell, has_ended);
  lock.unlock();
  is_over ? thread_.join() : thread_.detach();
  return left;
}

void JournalWriter::take(const LogEntry& entry) {
  std::lock_guard lock(state_->mutex);
  if (state_->queue.size() >= kQueueMax || state_->is_ending) {
    ++state_->untold;
    ++state_->lost;
    return;
  }
  state_->queue.push_back({entry.log, entry.severity, std::string(entry.line)});
  if (state_->queue.size() == 1) state_->wake.notify_one();
}

uint64_t JournalWriter::lost() const {
  std::lock_guard lock(state_->mutex);
  return state_->lost;
}

void JournalWriter::run(State& state, Send send) {
  std::unique_lock lock(state.mutex);
  for (;;) {
    state.wake.wait(lock, [&state] { return state.is_ending || !state.queue.empty(); });
    if (state.queue.empty()) break;
    const Item item = std::move(state.queue.front());
    state.queue.pop_front();
    uint64_t untold = std::exchange(state.untold, 0);
    state.is_sending = true;
    lock.unlock();
    if (untold > 0 &&
        send(journal_fields(config::LogName::error, Severity::warning,
                            fmt::format("{} lines did not reach the journal", untold)))) {
      untold = 0;
    }
    const bool is_taken = send(journal_fields(item.log, item.severity, item.line));
    lock.lock();
    state.is_sending = false;
    state.untold += untold + (is_taken ? 0 : 1);
    if (!is_taken && !state.is_given_up) ++state.lost;
  }
  state.has_ended = true;
  state.ended.notify_one();
}

// Where there is no journal, sd_journal_sendv() takes everything and throws it away.
bool JournalWriter::to_journal(const std::vector<std::string>& fields) {
  if (access(kJournalSocket, F_OK) != 0) return false;
  std::vector<iovec> parts;
  parts.reserve(fields.size());
  for (const std::string& field : fields)
    parts.push_back({const_cast<char*>(field.data()), field.size()});
  return sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) >= 0;
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
