// SPDX-License-Identifier: BSD-3-Clause
// DueTimes: which message is due next. A message has one time, or none. Thread: one.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace postern::mail {

class DueTimes {
 public:
  // In place of the time it has.
  void set(uint64_t number, int64_t due_s) {
    remove(number);
    times_.emplace(number, due_s);
    order_.emplace(due_s, number);
  }
  void remove(uint64_t number) {
    const auto at = times_.find(number);
    if (at == times_.end()) return;
    order_.erase({at->second, number});
    times_.erase(at);
  }
  bool is_due(int64_t now_s) const { return !order_.empty() && order_.begin()->first <= now_s; }
  // The one that is due longest; it has no time any more.
  std::optional<uint64_t> take(int64_t now_s) {
    if (!is_due(now_s)) return std::nullopt;
    const uint64_t number = order_.begin()->second;
    remove(number);
    return number;
  }
  size_t size() const { return times_.size(); }

 private:
  std::unordered_map<uint64_t, int64_t> times_;
  std::set<std::pair<int64_t, uint64_t>> order_;
};

}  // namespace postern::mail
