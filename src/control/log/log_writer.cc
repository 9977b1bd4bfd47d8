// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/log_writer.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace postern {
namespace {

constexpr size_t kBatchBytes = size_t{256} << 10;  // of one write
constexpr int kConsolePatienceMs = 200;

struct Item {
  std::string line;
  std::shared_ptr<LogWriter::Targets> targets;  // instead of a line
};

uint64_t lines_in(std::string_view text) {
  return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

// Up to PIPE_BUF bytes at once, which a pipe or a socket that is ready takes without waiting. How
// many bytes it has taken.
size_t write_console(std::string_view text, int patience_ms) {
  size_t done = 0;
  while (done < text.size()) {
    pollfd wait = {STDERR_FILENO, POLLOUT, 0};
    const int ready = poll(&wait, 1, patience_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || (wait.revents & POLLOUT) == 0 || (wait.revents & POLLERR) != 0) break;
    const std::string_view piece = text.substr(done, PIPE_BUF);
    const size_t line_end = piece.rfind('\n');
    const size_t size = line_end == std::string_view::npos ? piece.size() : line_end + 1;
    const ssize_t some = ::write(STDERR_FILENO, piece.data(), size);
    if (some < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (some <= 0) break;
    done += static_cast<size_t>(some);
  }
  return done;
}

}  // namespace

struct LogWriter::State {
  std::mutex mutex;  // of these
  std::condition_variable wake, moved;
  std::deque<Item> queue;
  size_t queue_bytes = 0;
  uint64_t queue_lost = 0;          // not told of
  uint64_t added = 0, handled = 0;  // items
  bool is_stalled = false;          // somebody waited in vain
  bool is_ending = false, is_given_up = false, has_ended = false;

  std::atomic<uint64_t> unwritten{0};
  std::atomic<bool> is_failing{false};

  bool has_room() const { return queue.size() < kQueueMax && queue_bytes < kQueueBytesMax; }
  template <typename Condition>
  void wait(std::unique_lock<std::mutex>& lock, Condition condition) {
    if (is_stalled) return;
    is_stalled = !moved.wait_for(lock, kPatience, condition);
  }
};

// What the thread alone knows.
class LogWriter::Sinks {
 public:
  explicit Sinks(State& state) : state_(state) {}

  void write(std::deque<Item>& items, uint64_t lost) {
    for (Item& item : items) {
      if (item.targets) {
        write_text();
        targets_ = std::move(item.targets);
        continue;
      }
      text_ += item.line;
      text_ += '\n';
      if (text_.size() >= kBatchBytes) write_text();
    }
    write_text();
    if (lost == 0) return;
    file_untold_ += lost;
    console_untold_ += lost;
    write_text();
  }

 private:
  // A line about the lost ones comes first; without it nothing else gets through.
  template <typename Write>
  bool write_to(uint64_t& untold, Write write) {
    if (untold > 0) {
      const std::string line = targets_->lost_line(untold) + '\n';
      if (write(line) == line.size()) untold = 0;
    }
    const size_t done = untold > 0 ? 0 : write(text_);
    const uint64_t missing = lines_in(std::string_view(text_).substr(done));
    untold += missing;
    state_.unwritten.fetch_add(missing, std::memory_order_relaxed);
    return untold == 0;
  }

  void write_text() {
    bool is_well = true;
    if (targets_ && targets_->file) {
      is_well = write_to(file_untold_,
                         [this](std::string_view text) { return targets_->file->append(text); });
    }
    if (targets_ && targets_->console) {
      const int patience_ms = is_console_stalled_ ? 0 : kConsolePatienceMs;
      is_console_stalled_ = !write_to(console_untold_, [patience_ms](std::string_view text) {
        return write_console(text, patience_ms);
      });
      is_well = is_well && !is_console_stalled_;
    }
    state_.is_failing.store(!is_well, std::memory_order_relaxed);
    text_.clear();
  }

  State& state_;
  std::shared_ptr<Targets> targets_;
  std::string text_;
  uint64_t file_untold_ = 0, console_untold_ = 0;
  bool is_console_stalled_ = false;
};

LogWriter::LogWriter() : state_(std::make_shared<State>()) {
  thread_ = std::thread([state = state_] { run(*state); });
}

LogWriter::~LogWriter() {
  std::unique_lock lock(state_->mutex);
  state_->is_ending = true;
  state_->wake.notify_one();
  const bool is_over =
      state_->moved.wait_for(lock, kPatience, [this] { return state_->has_ended; });
  state_->is_given_up = !is_over;
  lock.unlock();
  is_over ? thread_.join() : thread_.detach();
}

void LogWriter::use(Targets targets) {
  Item item;
  item.targets = std::make_shared<Targets>(std::move(targets));
  std::lock_guard lock(state_->mutex);
  state_->queue.push_back(std::move(item));
  ++state_->added;
  state_->wake.notify_one();
}

void LogWriter::add(std::string_view line) {
  std::string copy(line);
  std::replace(copy.begin(), copy.end(), '\n', '?');
  std::lock_guard lock(state_->mutex);
  if (!state_->has_room()) {
    ++state_->queue_lost;
    state_->unwritten.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  state_->queue_bytes += copy.size();
  state_->queue.push_back({std::move(copy), nullptr});
  ++state_->added;
  if (state_->queue.size() == 1) state_->wake.notify_one();
}

void LogWriter::wait_for_room() {
  std::unique_lock lock(state_->mutex);
  if (!state_->has_room()) state_->wait(lock, [this] { return state_->has_room(); });
}

void LogWriter::settle() {
  std::unique_lock lock(state_->mutex);
  const uint64_t until = state_->added;
  state_->wait(lock, [this, until] { return state_->handled >= until; });
}

uint64_t LogWriter::unwritten() const {
  return state_->unwritten.load(std::memory_order_relaxed);
}

bool LogWriter::is_failing() const {
  return state_->is_failing.load(std::memory_order_relaxed);
}

void LogWriter::run(State& state) {
  Sinks sinks(state);
  std::unique_lock lock(state.mutex);
  for (;;) {
    state.wake.wait(lock, [&state] { return state.is_ending || !state.queue.empty(); });
    if (state.queue.empty() || state.is_given_up) break;
    std::deque<Item> items;
    items.swap(state.queue);
    state.queue_bytes = 0;
    const uint64_t lost = std::exchange(state.queue_lost, 0);
    lock.unlock();
    sinks.write(items, lost);
    lock.lock();
    state.handled += items.size();
    state.is_stalled = false;
    state.moved.notify_all();
  }
  state.has_ended = true;
  state.moved.notify_all();
}

}  // namespace postern
