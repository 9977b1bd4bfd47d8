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
using Clock = CollectorLink::Clock;

constexpr Milliseconds kBusyNap(10);  // while something is on its way
constexpr Milliseconds kIdleNap(250);
constexpr Milliseconds kRetryFirst(250), kRetryMax(5000);
constexpr Milliseconds kSpillEvery(1000);
constexpr Milliseconds kSilence(5000);  // without an acknowledgement, before it is told
constexpr Milliseconds kFarewell(500);  // for what is on its way at the end
constexpr unsigned kFacilityLocal0 = 16;
constexpr uint16_t kPort = 514, kTlsPort = 6514;

const char* protocol_word(config::SyslogProtocol protocol) {
  static constexpr const char* kWords[] = {"udp", "tcp", "tls"};
  return kWords[static_cast<size_t>(protocol)];
}

bool is_stream(const config::SyslogTarget& target) {
  return target.protocol != config::SyslogProtocol::udp;
}

CollectorLink::Way way_to(const config::SyslogTarget& target) {
  using Transport = CollectorLink::Transport;
  static constexpr Transport kTransports[] = {Transport::udp, Transport::tcp, Transport::tls};
  CollectorLink::Way way;
  way.address = target.address;
  way.transport = kTransports[static_cast<size_t>(target.protocol)];
  const uint16_t fallback = way.transport == Transport::tls ? kTlsPort : kPort;
  way.port = target.port != 0 ? target.port : fallback;
  way.ca = target.ca;
  way.server_name = target.server_name;
  return way;
}

}  // namespace

std::string spool_directory(const std::string& state_dir) {
  return state_dir + "/spool";
}

std::string spool_name(const config::SyslogTarget& target) {
  return fmt::format("syslog-{}-{}-{}", protocol_word(target.protocol), to_text(target.address),
                     target.port);
}

std::string collector_text(const config::SyslogTarget& target) {
  std::string text = std::string(protocol_word(target.protocol)) + " " + to_text(target.address);
  return target.port == 0 ? text : text + ":" + std::to_string(target.port);
}

SyslogSender::SyslogSender(Settings settings, std::shared_ptr<SyslogSender> before)
    : settings_(std::move(settings)),
      before_(std::move(before)),
      backlog_(spool_directory(settings_.state_dir) + "/" + spool_name(settings_.target),
               uint64_t{settings_.target.queue_mib} << 20) {
  origin_.host = settings_.host;
  origin_.process = static_cast<uint32_t>(getpid());
  origin_.facility =
      static_cast<uint8_t>(kFacilityLocal0 + static_cast<unsigned>(settings_.target.facility));
}

SyslogSender::~SyslogSender() {
  end();
}

void SyslogSender::start(std::shared_future<void> ready) {
  ready_ = std::move(ready);
  thread_ = std::thread([this] { run(); });
}

void SyslogSender::begin_end() {
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_one();
}

void SyslogSender::end() {
  begin_end();
  if (thread_.joinable()) thread_.join();
}

bool SyslogSender::wants(config::LogName log) const {
  return settings_.target.wants(log);
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
  if (ready_.valid()) ready_.wait();
  if (before_) {
    before_->end();
    lost_ = before_->lost_;
    arrived_ = before_->arrived_;
  }
  if (auto opened = backlog_.open(); !opened) disk_fault_ = opened.error().text;
  if (before_ && before_->unsaved_ > 0) tell_lost(before_->unsaved_);
  before_.reset();
  while (!wait_for_work(backlog_.in_flight() > 0 || (link_ && !link_->is_open()))) {
    take_queue();
    look_after_link();
    send_some();
    keep();
    tell_status();
  }
  take_queue();
  const Clock::time_point until = Clock::now() + kFarewell;
  while (link_ && link_->is_open() && !backlog_.is_empty() && Clock::now() < until) {
    send_some();
    look_after_link();
    std::this_thread::sleep_for(kBusyNap);
  }
  link_.reset();
  backlog_.resend();
  auto saved = backlog_.save();
  if (saved) return tell_status();
  unsaved_ = backlog_.in_memory();
  std::fprintf(stderr, "%zu lines for %s are lost: %s\n", unsaved_,
               collector_text(settings_.target).c_str(), saved.error().text.c_str());
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
    link_ = CollectorLink::open(way_to(settings_.target));
  }
  link_->turn();
  const size_t arrived = link_->arrived();
  backlog_.acknowledge(arrived);
  arrived_ += arrived;
  if (arrived > 0 || backlog_.in_flight() == 0) moved_at_ = Clock::now();
  if (link_->is_proven()) {
    attempts_ = 0;
    link_fault_ = Clock::now() - moved_at_ < kSilence ? "" : "it acknowledges nothing";
  }
  if (link_->fault().empty()) return;
  link_fault_ = link_->fault();
  link_.reset();
  backlog_.resend();
  const Milliseconds pause = kRetryFirst * (1u << std::min(attempts_++, 5u));
  retry_at_ = Clock::now() + std::min(pause, kRetryMax);
}

void SyslogSender::tell_status() {
  std::lock_guard lock(mutex_);
  status_.is_open = link_ && link_->is_proven() && link_fault_.empty();
  status_.fault = status_.is_open ? "" : link_fault_;
  if (!status_.is_open && !disk_fault_.empty()) {
    status_.fault += (link_fault_.empty() ? "" : "; ") + disk_fault_;
  }
  status_.backlog_bytes = backlog_.bytes();
  status_.arrived = arrived_;
  status_.lost = lost_;
}

void SyslogSender::send_some() {
  while (link_ && link_->has_room() && backlog_.in_flight() < kInFlightMax) {
    const std::string* message = backlog_.next();
    if (message == nullptr) return;
    if (!link_->send(is_stream(settings_.target) ? syslog_frame(*message) : *message)) return;
    backlog_.sent();
  }
}

// What does not leave goes to disk, so that no end of the process takes it along.
void SyslogSender::keep() {
  const Clock::time_point now = Clock::now();
  const bool moves = link_ && link_->is_open() && now - moved_at_ < kSpillEvery;
  if (moves || now < spill_at_) return;
  spill_at_ = now + kSpillEvery;
  auto kept = backlog_.in_flight() == 0 ? backlog_.save() : backlog_.secure();
  disk_fault_ = kept ? "" : kept.error().text;
}

}  // namespace postern
