// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/alerts.h"

#include <algorithm>
#include <vector>

#include "control/log/error_log.h"
#include "control/log/log_line.h"

namespace postern {
namespace {

constexpr std::chrono::milliseconds kBusyNap(20), kIdleNap(500);

// A subject is the rule's name or whatever else the kind is about.
const char* subject_key(const std::string& kind) {
  return kind == "rule" ? "rule" : "subject";
}

}  // namespace

Alerts::Alerts(std::function<void(const std::string&)> warn)
    : output_(config::LogName::alert), warn_(std::move(warn)) {
  thread_ = std::thread([this] { run(); });
}

Alerts::~Alerts() {
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Result<void> Alerts::configure(const config::Logging& logging, const std::string& state_dir,
                               const std::string& host) {
  std::lock_guard lock(mutex_);
  settings_ = logging.alert;
  host_ = host;
  runner_.set_parallel(settings_.parallel);
  return output_.configure(logging.file(config::LogName::alert), {state_dir, host});
}

void Alerts::raise(std::string_view kind, std::string_view text, std::string_view subject) {
  std::lock_guard lock(mutex_);
  Key key{std::string(kind), std::string(subject)};
  if (bursts_.count(key) == 0 && bursts_of(key.first) >= kBurstsMax) key.second = "others";
  const Clock::time_point now = Clock::now();
  auto [burst, is_new] = bursts_.try_emplace(key);
  if (!is_new && now < burst->second.ends) {
    ++burst->second.suppressed;
    return;
  }
  if (burst->second.suppressed > 0) tell_end(key, burst->second.suppressed);
  burst->second = {now + std::chrono::nanoseconds(settings_.window.ns), 0};
  const int64_t wall_ns = wall_now_ns();
  LineText line(wall_ns, host_, "alert");
  line.word("kind", key.first);
  if (!key.second.empty()) line.text(subject_key(key.first), key.second);
  line.text("text", text);
  output_.write(Severity::warning, line.line(), wall_ns);
  if (settings_.command.empty()) return;
  CommandRunner::Job job;
  job.command = settings_.command;
  job.environment = {
      "PATH=/usr/sbin:/usr/bin:/sbin:/bin",    "POSTERN_HOST=" + host_,
      "POSTERN_ALERT_KIND=" + key.first,       "POSTERN_ALERT_SUBJECT=" + printable(key.second),
      "POSTERN_ALERT_TEXT=" + printable(text), "POSTERN_ALERT_TIME=" + log_time_text(wall_ns)};
  job.timeout = std::chrono::milliseconds(settings_.timeout.ns / 1'000'000);
  if (!runner_.add(std::move(job))) warn_("alert: too many commands wait; one was left out");
  wake_.notify_one();
}

size_t Alerts::bursts_of(const std::string& kind) const {
  return static_cast<size_t>(
      std::count_if(bursts_.begin(), bursts_.end(),
                    [&kind](const auto& burst) { return burst.first.first == kind; }));
}

void Alerts::run() {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    wake_.wait_for(lock, runner_.is_busy() ? kBusyNap : kIdleNap);
    end_bursts(Clock::now());
    const std::vector<std::string> faults = runner_.turn();
    if (faults.empty()) continue;
    lock.unlock();
    for (const std::string& fault : faults)
      warn_("alert command " + fault);
    lock.lock();
  }
  end_bursts(Clock::time_point::max());
}

void Alerts::end_bursts(Clock::time_point now) {
  for (auto burst = bursts_.begin(); burst != bursts_.end();) {
    if (now < burst->second.ends) {
      ++burst;
      continue;
    }
    if (burst->second.suppressed > 0) tell_end(burst->first, burst->second.suppressed);
    burst = bursts_.erase(burst);
  }
}

void Alerts::tell_end(const Key& key, uint64_t suppressed) {
  const int64_t wall_ns = wall_now_ns();
  LineText line(wall_ns, host_, "alert");
  line.word("kind", key.first);
  if (!key.second.empty()) line.text(subject_key(key.first), key.second);
  line.word("action", "suppressed").number("records", suppressed);
  output_.write(Severity::notice, line.line(), wall_ns);
}

}  // namespace postern
