// SPDX-License-Identifier: BSD-3-Clause
// Dispatcher::Self: what dispatcher.h says, within. A message is in one of these states:
//
//   in `due_`         it has a time; start() when that has come
//   in `parked_`      what is left of it waits for the schedule
//   in `under_way_`   recipients are being tried (running), or the sender is being told
//   in none           it is held
//
// What no scanner has seen yet has a time, too: its sender is told that it takes long, and in the
// end that it failed.
//
// conclude() decides what comes behind a round: telling the sender, the next time, or the end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "services/mail/delivery/dispatcher.h"
#include "services/mail/delivery/due_times.h"
#include "services/mail/delivery/local_delivery.h"
#include "services/mail/delivery/notifier.h"
#include "services/mail/delivery/outcome.h"
#include "services/mail/delivery/relay_lanes.h"

namespace postern::mail {

// Not held, nor waiting for a scanner.
inline bool may_go(const QueuedMessage& message) {
  return !message.is_held() && !message.is_unscanned;
}

// It waits for a scanner, and not for an administrator.
inline bool is_to_scan(const QueuedMessage& message) {
  return message.is_unscanned && message.held_by != HeldBy::administrator;
}

class Dispatcher::Self {
 public:
  static constexpr size_t kStartsPerTurn = 200;
  static constexpr size_t kPlacesMax = 100;   // of one RelayJob (RFC 5321 section 4.5.3.1.8)
  static constexpr int64_t kClockStepS = 60;  // more than a clock that runs wrong makes in a second
  static constexpr int64_t kTellAgainS = 60;  // where a notification could not be written

  Self(boost::asio::io_context& context, const Parts& parts, const Seams& seams);
  ~Self();
  Self(const Self&) = delete;
  Self& operator=(const Self&) = delete;

  void follow(const MailSettings& settings);
  void tick();
  void added(uint64_t number);
  void discard(uint64_t number, const Queue::Done& then);
  void retry(uint64_t number, const Queue::Done& then);
  void hold(uint64_t number, const Queue::Done& then);
  void remove(uint64_t number, const Queue::Done& then);
  void retry_all();
  const Counters& counters() const { return counters_; }

 private:
  struct Task {
    size_t running = 0;  // groups of recipients that are tried
    bool is_telling = false;
  };
  using Attempts = std::vector<std::pair<size_t, Attempt>>;  // by place

  void load();
  void follow_clock();
  void schedule(const QueuedMessage& message);
  void schedule_unscanned(const QueuedMessage& message);
  void forget(uint64_t number);
  void pump_later();
  void pump();
  // dispatcher_round.cc
  void start(uint64_t number);
  void try_places(const QueuedMessage& message, bool is_forced, Task& task);
  Attempts unscanned_places(const QueuedMessage& message) const;
  void reroute(const QueuedMessage& message);
  bool is_homeless(const Recipient& recipient) const;
  void delivered(const LocalDelivery::Key& key, const Result<void>* done);
  void relayed(const RelayLanes::Group& group, const RelayResult* result);
  void apply(uint64_t number, const Attempts& attempts);
  void count_and_log(const QueuedMessage& message, size_t place, const Attempt& attempt);
  void end_group(uint64_t number);
  void conclude(uint64_t number);
  void tell(const QueuedMessage& message, const std::vector<size_t>& places);
  void told(uint64_t number, const std::vector<size_t>& places, bool is_told);
  void log(MailEventKind kind, const QueuedMessage& message) const;

  boost::asio::io_context& context_;
  Queue& queue_;
  NextHops& next_hops_;
  const Seams seams_;
  MailSettings settings_;
  Counters counters_;
  DueTimes due_;
  std::optional<int64_t> apart_s_;  // the clock of the day and the one that is never set
  std::set<uint64_t> parked_;
  std::unordered_map<uint64_t, Task> under_way_;
  std::unordered_set<uint64_t> forced_;  // to be tried, whatever their recipients' times are
  bool is_loaded_ = false;
  bool is_pump_posted_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  RelayLanes lanes_;
  Notifier notifier_;
  LocalDelivery local_;
};

}  // namespace postern::mail
