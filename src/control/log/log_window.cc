// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/log_window.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <utility>

#include "control/log/log_line.h"

namespace postern {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

// "192.0.2.1:80" or "192.0.2.1" is `host`.
bool is_party(std::string_view value, std::string_view host) {
  return value.substr(0, host.size()) == host &&
         (value.size() == host.size() || value[host.size()] == ':');
}

// Lines of the HTTP log do not begin with fields, so that they have to be read as a whole.
bool has_field(config::LogName log, std::string_view line, std::string_view key,
               const std::string& value) {
  if (line.find(value) == std::string_view::npos) return false;  // quick, and true of most
  if (log != config::LogName::http) return find_log_field(line, key) == value;
  const std::vector<LogField> fields = read_log_line(line);
  return std::any_of(fields.begin(), fields.end(), [&](const LogField& field) {
    return field.key == key && field.value == value;
  });
}

bool names_host(std::string_view line, const std::string& host) {
  if (line.find(host) == std::string_view::npos) return false;
  for (const LogField& field : read_log_line(line)) {
    const bool is_place = field.key == "source" || field.key == "destination" ||
                          field.key == "original_destination" || field.key == "translated_source" ||
                          field.key == "address";
    if (is_place && is_party(field.value, host)) return true;
  }
  return false;
}

// Of "2026-03-01T09:00:00.123+0100", also where the error log writes it a little differently.
int64_t time_of(std::string_view line) {
  auto fields = read_log_line(line);
  if (fields.empty() || fields[0].key != "time") return 0;
  std::tm parts = {};
  const char* rest = strptime(fields[0].value.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr || *rest != '.') return 0;
  int milliseconds = 0, hours = 0, minutes = 0;
  char sign = '+';
  if (std::sscanf(rest, ".%3d%c%2d%2d", &milliseconds, &sign, &hours, &minutes) != 4) return 0;
  const int64_t offset = (hours * 60LL + minutes) * 60 * (sign == '-' ? -1 : 1);
  return (timegm(&parts) - offset) * kNsPerSecond + milliseconds * 1'000'000LL;
}

}  // namespace

bool LogFilter::is_about(config::LogName log) const {
  return logs.empty() || std::find(logs.begin(), logs.end(), log) != logs.end();
}

bool LogFilter::matches(config::LogName log, std::string_view line, int64_t wall_ns) const {
  if (!is_about(log) || wall_ns < since_ns) return false;
  if (!rule.empty() && !has_field(log, line, "rule", rule)) return false;
  if (!action.empty() && !has_field(log, line, "action", action)) return false;
  return host.empty() || names_host(line, host);
}

void LogWindow::seed(config::LogName log, const std::string& state_dir) {
  const std::string path = state_dir + "/log/" + to_word(log) + ".log";
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  if (!file) return;
  std::fseek(file.get(), 0, SEEK_END);
  const long size = std::ftell(file.get());
  const long from = std::max(0L, size - static_cast<long>(kWindowBytes));
  std::fseek(file.get(), from, SEEK_SET);
  std::string bytes(static_cast<size_t>(size - from), '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.get()));
  std::string_view rest = bytes;
  if (from > 0) rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
  std::lock_guard lock(mutex_);
  kept_[static_cast<size_t>(log)].is_cut = from > 0;
  for (size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    const std::string_view line = rest.substr(0, end);
    if (!line.empty()) keep({log, time_of(line), std::string(line)});
    rest.remove_prefix(end + 1);
  }
}

void LogWindow::keep(Line line) {
  Kept& kept = kept_[static_cast<size_t>(line.log)];
  kept.bytes += line.text.size();
  kept.lines.push_back(std::move(line));
  while (kept.lines.size() > kWindowLines || kept.bytes > kWindowBytes) {
    kept.bytes -= kept.lines.front().text.size();
    kept.lines.pop_front();
    kept.is_cut = true;
  }
}

void LogWindow::add(const LogEntry& entry) {
  std::lock_guard lock(mutex_);
  keep({entry.log, entry.wall_ns, std::string(entry.line)});
  for (Follower& follower : followers_) {
    if (!follower.filter.matches(entry.log, entry.line, entry.wall_ns)) continue;
    if (follower.lines.size() >= kQueueLines) {
      ++follower.lost;
    } else {
      follower.lines.push_back({entry.log, entry.wall_ns, std::string(entry.line)});
    }
  }
}

LogWindow::Tail LogWindow::tail(const LogFilter& filter, size_t count) const {
  std::lock_guard lock(mutex_);
  return tail_locked(filter, count);
}

LogWindow::Tail LogWindow::tail_locked(const LogFilter& filter, size_t count) const {
  Tail tail;
  for (size_t log = 0; log < kept_.size(); ++log) {
    const Kept& kept = kept_[log];
    if (!filter.is_about(static_cast<config::LogName>(log))) continue;
    size_t taken = 0;
    for (auto line = kept.lines.rbegin(); line != kept.lines.rend() && taken < count; ++line) {
      if (!filter.matches(line->log, line->text, line->wall_ns)) continue;
      tail.lines.push_back(*line);
      ++taken;
    }
    const bool reaches_back = !kept.lines.empty() && kept.lines.front().wall_ns < filter.since_ns;
    if (kept.is_cut && taken < count && !reaches_back) tail.is_cut = true;
  }
  std::stable_sort(tail.lines.begin(), tail.lines.end(),
                   [](const Line& a, const Line& b) { return a.wall_ns > b.wall_ns; });
  if (tail.lines.size() > count) tail.lines.resize(count);
  std::reverse(tail.lines.begin(), tail.lines.end());
  return tail;
}

Result<LogWindow::Followed> LogWindow::follow(LogFilter filter, uint32_t uid, size_t count) {
  std::lock_guard lock(mutex_);
  forget_unread();
  std::vector<uint32_t> holders;
  holders.reserve(followers_.size());
  for (const Follower& follower : followers_)
    holders.push_back(follower.uid);
  if (!kPlaces.has_place(uid, holders)) {
    return Error{ErrorCode::exhausted, "too many follow the logs at once; try again"};
  }
  Followed followed;
  followed.id = ++last_id_;
  followed.tail = tail_locked(filter, count);
  followers_.push_back({followed.id, uid, std::move(filter), {}, 0, Clock::now()});
  return followed;
}

std::optional<LogWindow::Batch> LogWindow::read(uint32_t id, uint32_t uid) {
  std::lock_guard lock(mutex_);
  forget_unread();
  auto follower = std::find_if(followers_.begin(), followers_.end(), [&](const Follower& f) {
    return f.id == id && is_master_of(uid, f.uid);
  });
  if (follower == followers_.end()) return std::nullopt;
  follower->read_at = Clock::now();
  Batch batch;
  while (!follower->lines.empty() && batch.lines.size() < kReadLines) {
    batch.lines.push_back(std::move(follower->lines.front()));
    follower->lines.pop_front();
  }
  batch.lost = std::exchange(follower->lost, 0);
  return batch;
}

void LogWindow::forget_unread() {
  const Clock::time_point now = Clock::now();
  followers_.erase(
      std::remove_if(followers_.begin(), followers_.end(),
                     [now](const Follower& f) { return now - f.read_at > kUnreadMax; }),
      followers_.end());
}

}  // namespace postern
