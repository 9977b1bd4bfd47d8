// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/syslog_sender.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "control/log/log_line.h"

namespace postern {
namespace {

using Milliseconds = std::chrono::milliseconds;
using Clock = SyslogLink::Clock;

constexpr Milliseconds kBusyNap(10);  // while something is on its way
constexpr Milliseconds kIdleNap(250);
constexpr Milliseconds kRetryFirst(250), kRetryMax(5000);
constexpr Milliseconds kSpillEvery(1000);
constexpr Milliseconds kFarewell(500);  // for what is on its way at the end
constexpr unsigned kFacilityLocal0 = 16;

const char* protocol_word(config::SyslogProtocol protocol) {
  static constexpr const char* kWords[] = {"udp", "tcp", "tls"};
  return kWords[static_cast<size_t>(protocol)];
}

std::string backlog_directory(const SyslogSender::Settings& settings) {
  const config::SyslogTarget& target = settings.target;
  return fmt::format("{}/spool/syslog-{}-{}-{}", settings.state_dir, protocol_word(target.protocol),
                     to_text(target.address), target.port);
}

}  // namespace

std::string collector_text(const config::SyslogTarget& target) {
  std::string text = std::string(protocol_word(target.protocol)) + " " + to_text(target.address);
  return target.port == 0 ? text : text + ":" + std::to_string(target.port);
}

SyslogSender::SyslogSender(Settings settings, std::shared_ptr<SyslogSender> before)
    : settings_(std::move(settings)),
      before_(std::move(before)),
      backlog_(backlog_directory(settings_), uint64_t{settings_.target.queue_mib} << 20) {
  origin_.host = settings_.host;
  origin_.process = static_cast<uint32_t>(getpid());
  origin_.facility =
      static_cast<uint8_t>(kFacilityLocal0 + static_cast<unsigned>(settings_.target.facility));
  thread_ = std::thread([this] { run(); });
}

SyslogSender::~SyslogSender() {
  end(false);
}

void SyslogSender::discard() {
  end(true);
}

void SyslogSender::end(bool is_discarded) {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
    is_discarded_ = is_discarded;
  }
  wake_.notify_one();
  thread_.join();
}

bool SyslogSender::wants(config::LogName log) const {
  const auto& logs = settings_.target.logs;
  if (logs.empty()) return log != config::LogName::debug;
  return std::find(logs.begin(), logs.end(), log) != logs.end();
}

void SyslogSender::take(const LogEntry& entry) {
  std::lock_guard lock(mutex_);
  if (queue_.size() >= kQueueMax || queue_bytes_ + entry.line.size() > kQueueBytesMax) {
    ++queue_lost_;
    return;
  }
  queue_bytes_ += entry.line.size();
  queue_.push_back({entry.log, entry.severity, entry.wall_ns, std::string(entry.line)});
  if (queue_.size() == 1) wake_.notify_one();
}

SyslogSender::Status SyslogSender::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

void SyslogSender::run() {
  if (before_) before_->end(false);
  before_.reset();
  if (auto opened = backlog_.open(); !opened) {
    std::lock_guard lock(mutex_);
    status_.fault = opened.error().text;
  }
  while (!wait_for_work(backlog_.in_flight() > 0 || (link_ && !link_->is_open()))) {
    take_queue();
    look_after_link();
    send_some();
    keep();
  }
  take_queue();
  const Clock::time_point until = Clock::now() + kFarewell;
  while (!is_discarded_ && link_ && link_->is_open() && !backlog_.is_empty() &&
         Clock::now() < until) {
    send_some();
    look_after_link();
    std::this_thread::sleep_for(kBusyNap);
  }
  link_.reset();
  if (is_discarded_) return backlog_.discard();
  backlog_.resend();
  if (auto saved = backlog_.save(); !saved)
    std::fprintf(stderr, "%s\n", saved.error().text.c_str());
}

// Whether it is to end.
bool SyslogSender::wait_for_work(bool is_busy) {
  std::unique_lock lock(mutex_);
  auto has_work = [this] { return is_ending_ || !queue_.empty(); };
  wake_.wait_for(lock, is_busy || !backlog_.is_empty() ? kBusyNap : kIdleNap, has_work);
  return is_ending_;
}

void SyslogSender::take_queue() {
  std::deque<Item> items;
  uint64_t lost = 0;
  {
    std::lock_guard lock(mutex_);
    items.swap(queue_);
    queue_bytes_ = 0;
    lost = std::exchange(queue_lost_, 0);
  }
  for (const Item& item : items) {
    backlog_.push(syslog_message({item.log, item.severity, item.wall_ns, item.line}, origin_));
    if (const uint64_t gap = backlog_.take_lost(); gap > 0) tell_lost(gap);
  }
  if (lost > 0) tell_lost(lost);
  if (const uint64_t gap = backlog_.take_lost(); gap > 0) tell_lost(gap);
}

// In the place of what is missing.
void SyslogSender::tell_lost(uint64_t lines) {
  lost_ += lines;
  const int64_t now = wall_now_ns();
  LineText line(now, origin_.host, "log");
  line.word("action", "lost").number("records", lines);
  line.text("text", fmt::format("{} lines had no room in the queue for {}", lines,
                                collector_text(settings_.target)));
  backlog_.push(
      syslog_message({config::LogName::error, Severity::warning, now, line.line()}, origin_));
}

void SyslogSender::look_after_link() {
  if (!link_) {
    if (backlog_.is_empty() || Clock::now() < retry_at_) return;
    link_ = SyslogLink::open(settings_.target);
  }
  link_->turn();
  backlog_.acknowledge(link_->arrived());
  std::string fault = link_->fault();
  if (link_->is_proven()) attempts_ = 0;
  if (!fault.empty()) {
    link_.reset();
    backlog_.resend();
    const Milliseconds pause = kRetryFirst * (1u << std::min(attempts_++, 5u));
    retry_at_ = Clock::now() + std::min(pause, kRetryMax);
  }
  std::lock_guard lock(mutex_);
  status_.is_open = link_ && link_->is_proven();
  if (status_.is_open) fault.clear();
  if (!fault.empty() || status_.is_open) status_.fault = std::move(fault);
  status_.backlog_bytes = backlog_.bytes();
  status_.sent = sent_;
  status_.lost = lost_;
}

void SyslogSender::send_some() {
  while (link_ && link_->has_room() && backlog_.in_flight() < kInFlightMax) {
    const std::string* message = backlog_.next();
    if (message == nullptr) return;
    link_->send(*message);
    backlog_.sent();
    ++sent_;
  }
}

// What does not leave goes to disk, so that no end of the process takes it along.
void SyslogSender::keep() {
  const Clock::time_point now = Clock::now();
  if ((link_ && link_->is_open()) || now < spill_at_) return;
  spill_at_ = now + kSpillEvery;
  auto kept = backlog_.in_flight() == 0 ? backlog_.save() : backlog_.spill();
  if (kept) return;
  std::lock_guard lock(mutex_);
  status_.fault = kept.error().text;
}

}  // namespace postern
