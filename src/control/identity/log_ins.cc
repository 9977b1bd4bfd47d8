// SPDX-License-Identifier: BSD-3-Clause
#include "control/identity/log_ins.h"

#include <algorithm>
#include <utility>

#include "control/compile/subjects.h"
#include "dataplane/nat/session.h"

namespace postern {

const char* to_word(LogInDoor door) {
  switch (door) {
    case LogInDoor::portal:
      return "portal";
  }
  return "-";
}

const char* to_word(LogInEnd why) {
  switch (why) {
    case LogInEnd::logged_out:
      return "logged-out";
    case LogInEnd::replaced:
      return "replaced";
    case LogInEnd::idle:
      return "idle";
    case LogInEnd::time_over:
      return "time-over";
    case LogInEnd::silent:
      return "silent";
    case LogInEnd::other_machine:
      return "other-machine";
    case LogInEnd::administrator:
      return "administrator";
  }
  return "-";
}

void LogIns::set_limits(LogInDoor door, const LogInLimits& limits) {
  limits_.at(static_cast<size_t>(door)) = limits;
}

const LogInLimits& LogIns::limits_of(const LogIn& log_in) const {
  return limits_.at(static_cast<size_t>(log_in.door));
}

// Who takes the place of somebody does so at once: between the two the workers see no empty place.
bool LogIns::log_in(LogIn fresh) {
  if (board_ == nullptr) return false;
  log_out(fresh.address, LogInEnd::replaced);
  names_.note(user_number(fresh.user), fresh.user);
  const bool has_room =
      log_ins_.size() < kIdentitiesMax && board_->set(fresh.address, fresh.user, fresh.groups);
  if (!has_room) return false;
  fresh.since = fresh.last_active = world_.now();
  fresh.since_s = world_.wall_s();
  fresh.machine = world_.machine_of(fresh.address);
  const LogIn& log_in = log_ins_[fresh.address] = std::move(fresh);
  for (const auto& then : on_begin_)
    then(log_in);
  return true;
}

void LogIns::touch(Ipv4Address address) {
  auto found = log_ins_.find(address);
  if (found != log_ins_.end()) found->second.last_active = world_.now();
}

bool LogIns::log_out(Ipv4Address address, LogInEnd why) {
  const auto ended = log_ins_.extract(address);
  if (ended.empty()) return false;
  if (why != LogInEnd::replaced) board_->erase(address);
  for (const auto& then : on_end_)
    then(ended.mapped(), why);
  return true;
}

size_t LogIns::log_out(const std::string& user_or_address) {
  if (auto address = parse_ipv4(user_or_address)) {
    return log_out(*address, LogInEnd::administrator) ? 1 : 0;
  }
  std::vector<Ipv4Address> theirs;
  for (const auto& [address, log_in] : log_ins_) {
    if (log_in.user == user_or_address) theirs.push_back(address);
  }
  for (const Ipv4Address address : theirs)
    log_out(address, LogInEnd::administrator);
  return theirs.size();
}

void LogIns::close(LogInDoor door) {
  std::vector<Ipv4Address> theirs;
  for (const auto& [address, log_in] : log_ins_) {
    if (log_in.door == door) theirs.push_back(address);
  }
  for (const Ipv4Address address : theirs)
    log_out(address, LogInEnd::administrator);
}

std::optional<LogInEnd> LogIns::due(const LogIn& log_in, Instant now) const {
  const LogInLimits& limits = limits_of(log_in);
  auto is_over = [now](Duration limit, Instant since) {
    return limit.ns != 0 && now - since >= limit;
  };
  if (is_over(limits.longest, log_in.since)) return LogInEnd::time_over;
  const Instant active = std::max(log_in.last_active, last_seen(log_in.address));
  if (is_over(limits.idle, active)) return LogInEnd::idle;
  return std::nullopt;
}

void LogIns::tick() {
  const Instant now = world_.now();
  std::vector<std::pair<Ipv4Address, LogInEnd>> over;
  for (const auto& [address, log_in] : log_ins_) {
    if (auto why = due(log_in, now)) over.emplace_back(address, *why);
  }
  for (const auto& [address, why] : over)
    log_out(address, why);
}

void LogIns::machine_seen(Ipv4Address address, const MacAddress& mac) {
  const LogIn* known = find(address);
  if (known == nullptr || !known->machine || *known->machine == mac) return;
  log_out(address, LogInEnd::other_machine);
}

void LogIns::review(const std::function<Groups(const LogIn&)>& groups_now) {
  std::vector<Ipv4Address> gone;
  for (auto& [address, log_in] : log_ins_) {
    Groups groups = groups_now(log_in);
    if (groups) {
      board_->set(address, log_in.user, *groups);
      log_in.groups = std::move(*groups);
    } else {
      gone.push_back(address);
    }
  }
  for (const Ipv4Address address : gone)
    log_out(address, LogInEnd::administrator);
}

const LogIn* LogIns::find(Ipv4Address address) const {
  const auto found = log_ins_.find(address);
  return found == log_ins_.end() ? nullptr : &found->second;
}

Instant LogIns::ends(const LogIn& log_in) const {
  const Duration longest = limits_of(log_in).longest;
  return longest.ns == 0 ? Instant{} : log_in.since + longest;
}

Instant LogIns::last_seen(Ipv4Address address) const {
  return from_ticks(board_ != nullptr ? board_->last_seen(address) : 0);
}

}  // namespace postern
