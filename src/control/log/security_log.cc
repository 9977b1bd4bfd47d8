// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/security_log.h"

#include <poll.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "base/assert.h"
#include "control/log/security_line.h"
#include "dataplane/runtime/doorbell.h"

namespace postern {
namespace {

constexpr size_t kBatch = 256;  // records taken from one ring before the next has its turn
constexpr Duration kSuppressedEvery = seconds(1);
constexpr int kNapMilliseconds = 1000;  // at the longest; lost records are looked for then

int64_t wall_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

// What the logging thread alone knows.
struct SecurityLog::Writer {
  SecurityLine line;
  std::shared_ptr<const LoggedNames> names;
  std::vector<uint64_t> lost_told;                                  // by source
  std::vector<std::array<uint64_t, kDropReasons>> suppressed_told;  // by source
  Instant suppressed_at;                                            // when that was told
  std::vector<std::shared_ptr<spdlog::sinks::sink>> sinks;
  std::array<LogRecord, kBatch> batch;

  explicit Writer(const std::string& host) : line(host) {}

  uint64_t unwritten = 0;

  // The sinks throw when the disk is full: the line is gone and counted, the thread goes on.
  void write(std::string_view text) {
    spdlog::details::log_msg message("security", spdlog::level::info,
                                     spdlog::string_view_t(text.data(), text.size()));
    for (const auto& sink : sinks) {
      try {
        sink->log(message);
      } catch (const std::exception&) {
        ++unwritten;
      }
    }
  }

  void flush() {
    for (const auto& sink : sinks) {
      try {
        sink->flush();
      } catch (const std::exception&) {
        continue;
      }
    }
  }
};

SecurityLog::SecurityLog(Settings settings)
    : settings_(std::move(settings)), stop_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  POSTERN_ASSERT(stop_fd_ >= 0);
}

SecurityLog::~SecurityLog() {
  stop();
  close(stop_fd_);
}

Result<void> SecurityLog::configure(const config::LogFile& settings) {
  std::vector<std::shared_ptr<spdlog::sinks::sink>> sinks;
  if (settings.file) {
    auto file = open_log_file(settings, settings_.state_dir, "security.log");
    if (!file) return std::move(file).error();
    sinks.push_back(*file);
  }
  if (settings.console) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  for (const auto& sink : sinks)
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  std::lock_guard lock(sinks_mutex_);
  sinks_ = std::move(sinks);
  return {};
}

void SecurityLog::start() {
  thread_ = std::thread([this] { run(); });
}

void SecurityLog::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_release);
  eventfd_write(stop_fd_, 1);
  thread_.join();
}

void SecurityLog::run() {
  Writer writer(settings_.host);
  writer.lost_told.resize(settings_.sources.size());
  writer.suppressed_told.resize(settings_.sources.size());
  for (;;) {
    // Read before draining: what was pushed before stop() is written.
    bool is_last = stopping_.load(std::memory_order_acquire);
    bool had_records = drain(writer);
    tell_suppressed(writer, is_last);
    if (had_records) continue;
    writer.flush();
    if (is_last) return;
    settings_.bell->arm();
    if (drain(writer)) continue;
    std::array<pollfd, 2> waits = {{{settings_.bell->fd(), POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
    poll(waits.data(), waits.size(), kNapMilliseconds);
  }
}

// One batch of each ring. Returns whether there was anything to write.
bool SecurityLog::drain(Writer& writer) {
  {
    std::lock_guard lock(sinks_mutex_);
    writer.sinks = sinks_;
  }
  bool had_records = false;
  int64_t offset = wall_ns() - settings_.now().ns;
  for (size_t i = 0; i < settings_.sources.size(); ++i) {
    const Source& source = settings_.sources[i];
    size_t count = source.ring->pop(writer.batch);
    for (size_t k = 0; k < count; ++k) {
      const LogRecord& record = writer.batch[k];
      if (writer.names == nullptr || writer.names->names.generation != record.generation) {
        writer.names = settings_.names->find(record.generation);
      }
      writer.write(writer.line.format(record, writer.names.get(), offset));
    }
    uint64_t lost = source.counters->log_records_lost.read();
    if (lost != writer.lost_told[i]) {
      writer.write(
          writer.line.format_lost(lost - writer.lost_told[i], i, settings_.now().ns + offset));
      writer.lost_told[i] = lost;
      ++count;
    }
    lines_.fetch_add(count, std::memory_order_relaxed);
    unwritten_.store(writer.unwritten, std::memory_order_relaxed);
    had_records = had_records || count > 0;
  }
  return had_records;
}

// What workers left out since it was last told, a line for each reason, at most once a second.
void SecurityLog::tell_suppressed(Writer& writer, bool is_last) {
  const Instant now = settings_.now();
  if (!is_last && now - writer.suppressed_at < kSuppressedEvery) return;
  writer.suppressed_at = now;
  for (size_t i = 0; i < settings_.sources.size(); ++i) {
    for (size_t reason = 0; reason < kDropReasons; ++reason) {
      const uint64_t all = settings_.sources[i].counters->suppressed[reason].read();
      uint64_t& told = writer.suppressed_told[i][reason];
      if (all == told) continue;
      writer.write(
          writer.line.format_suppressed(static_cast<DropReason>(reason), all - told, i, wall_ns()));
      told = all;
      lines_.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

}  // namespace postern
