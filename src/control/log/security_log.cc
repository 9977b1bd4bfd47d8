// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/security_log.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>

#include "base/assert.h"
#include "control/log/log_line.h"
#include "control/log/security_line.h"
#include "dataplane/runtime/doorbell.h"

namespace postern {
namespace {

constexpr size_t kBatch = 256;  // records taken from one ring before the next has its turn
constexpr Duration kSuppressedEvery = seconds(1);
constexpr int kNapMilliseconds = 1000;  // at the longest; lost records are looked for then

Severity severity_of(const LogRecord& record) {
  const bool is_refusal = record.action == LogAction::drop || record.action == LogAction::deny;
  return is_refusal ? Severity::notice : Severity::info;
}

}  // namespace

// What the logging thread alone knows.
struct SecurityLog::Writer {
  SecurityLine line;
  std::shared_ptr<const LoggedNames> names;
  std::vector<uint64_t> lost_told;                                  // by source
  std::vector<std::array<uint64_t, kDropReasons>> suppressed_told;  // by source
  Instant suppressed_at;                                            // when that was told
  std::array<LogRecord, kBatch> batch;
  uint32_t host_generation = 0;

  explicit Writer(const UserNames* users) : line("postern", users) {}
};

SecurityLog::SecurityLog(Settings settings)
    : settings_(std::move(settings)), stop_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  POSTERN_ASSERT(stop_fd_ >= 0);
}

SecurityLog::~SecurityLog() {
  stop();
  close(stop_fd_);
}

Result<void> SecurityLog::configure(const config::LogFile& settings, const std::string& host) {
  {
    std::lock_guard lock(host_mutex_);
    host_ = host;
    host_generation_.fetch_add(1, std::memory_order_release);
  }
  return output_.configure(settings, {settings_.state_dir, host});
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
  Writer writer(settings_.users);
  writer.lost_told.resize(settings_.sources.size());
  writer.suppressed_told.resize(settings_.sources.size());
  for (;;) {
    // Read before draining: what was pushed before stop() is written.
    bool is_last = stopping_.load(std::memory_order_acquire);
    follow_host(writer);
    bool had_records = drain(writer);
    tell_suppressed(writer, is_last);
    if (had_records) continue;
    if (is_last) return output_.settle();
    settings_.bell->arm();
    if (drain(writer)) continue;
    std::array<pollfd, 2> waits = {{{settings_.bell->fd(), POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
    poll(waits.data(), waits.size(), kNapMilliseconds);
  }
}

void SecurityLog::follow_host(Writer& writer) {
  if (host_generation_.load(std::memory_order_acquire) == writer.host_generation) return;
  std::lock_guard lock(host_mutex_);
  writer.host_generation = host_generation_.load(std::memory_order_relaxed);
  writer.line.set_host(host_);
}

// One batch of each ring. Returns whether there was anything to write.
bool SecurityLog::drain(Writer& writer) {
  bool had_records = false;
  int64_t offset = wall_now_ns() - settings_.now().ns;
  for (size_t i = 0; i < settings_.sources.size(); ++i) {
    const Source& source = settings_.sources[i];
    size_t count = source.ring->pop(writer.batch);
    uint64_t lines = 0;
    for (size_t k = 0; k < count; ++k)
      lines += write(writer, writer.batch[k], offset) ? 1 : 0;
    uint64_t lost = source.counters->log_records_lost.read();
    if (lost != writer.lost_told[i]) {
      output_.write(Severity::warning, writer.line.format_lost(lost - writer.lost_told[i], i,
                                                               settings_.now().ns + offset));
      writer.lost_told[i] = lost;
      ++lines;
    }
    lines_.fetch_add(lines, std::memory_order_relaxed);
    had_records = had_records || count > 0 || lines > 0;
  }
  return had_records;
}

// Returns whether it is a line of this log: a rule may ask for an alert alone.
bool SecurityLog::write(Writer& writer, const LogRecord& record, int64_t offset_ns) {
  if (writer.names == nullptr || writer.names->names.generation != record.generation) {
    writer.names = settings_.names->find(record.generation);
  }
  const std::string_view line = writer.line.format(record, writer.names.get(), offset_ns);
  const PolicyNames::Entry* rule = nullptr;
  if (record.kind == LogKind::rule && writer.names != nullptr) {
    rule = writer.names->names.find_rule(record.rule);
  }
  if (rule != nullptr && rule->alert && settings_.alert) {
    settings_.alert(rule->name, line.substr(line.find(" action=") + 1));
  }
  if (rule != nullptr && !rule->is_listed) return false;
  output_.write(severity_of(record), line, record.at.ns + offset_ns);
  return true;
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
      output_.write(Severity::notice, writer.line.format_suppressed(static_cast<DropReason>(reason),
                                                                    all - told, i, wall_now_ns()));
      told = all;
      lines_.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

}  // namespace postern
