// SPDX-License-Identifier: BSD-3-Clause
// LogWindow: the last lines of each log in memory, and those who follow a log while it grows.
//
//   LogOutput (any thread) -> add() -> window, 1,000 lines a log
//                                   -> of each follower whose filter the line fits: its own queue
//
// A follower is asked for its lines by read(); one that was not read for kUnreadMax is forgotten.
// So a filter finds its lines also where others come much faster. Thread: any, under one mutex.
// Bounds: kWindowLines and kWindowBytes a log, kFollowersMax followers, shared out to users by
// kPlaces, with kQueueLines each; lines that found no room are counted.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/log/log_output.h"
#include "control/user_places.h"

namespace postern {

struct LogFilter {
  std::vector<config::LogName> logs;  // empty: all
  std::string rule, action;           // whole values; empty: any
  std::string host;                   // an address in source, destination or a translation of them
  int64_t since_ns = 0;               // wall clock
  bool is_about(config::LogName log) const;
  bool matches(config::LogName log, std::string_view line, int64_t wall_ns) const;
};

class LogWindow {
 public:
  static constexpr size_t kWindowLines = 1000, kQueueLines = 4000;
  static constexpr size_t kWindowBytes = size_t{512} << 10;
  static constexpr size_t kReadLines = 2000;  // of one read()
  static constexpr UserPlaces kPlaces = {.all = 8, .others = 6, .each = 3};
  static constexpr std::chrono::seconds kUnreadMax{15};

  struct Line {
    config::LogName log;
    int64_t wall_ns;
    std::string text;
  };

  // Lines that are in the file of a log already, for a daemon that has just started.
  void seed(config::LogName log, const std::string& state_dir);
  void add(const LogEntry& entry);

  struct Tail {
    std::vector<Line> lines;  // the last `count` that fit, oldest first
    bool is_cut = false;      // the window does not reach back to where the filter begins
  };
  Tail tail(const LogFilter& filter, size_t count) const;

  // A follower of the lines from now on, and the tail before them. An Error when there are too
  // many.
  struct Followed {
    uint32_t id = 0;
    Tail tail;
  };
  Result<Followed> follow(LogFilter filter, uint32_t uid, size_t count);
  struct Batch {
    std::vector<Line> lines;
    uint64_t lost = 0;  // since the last batch
  };
  // Empty: there is none of this user (or of root).
  std::optional<Batch> read(uint32_t id, uint32_t uid);

 private:
  using Clock = std::chrono::steady_clock;
  struct Kept {
    std::deque<Line> lines;
    size_t bytes = 0;
    bool is_cut = false;  // older lines are gone
  };
  struct Follower {
    uint32_t id, uid;
    LogFilter filter;
    std::deque<Line> lines;
    uint64_t lost;
    Clock::time_point read_at;
  };
  void keep(Line line);
  Tail tail_locked(const LogFilter& filter, size_t count) const;
  void forget_unread();

  mutable std::mutex mutex_;
  std::array<Kept, config::kLogs> kept_;
  std::vector<Follower> followers_;
  uint32_t last_id_ = 0;
};

}  // namespace postern
