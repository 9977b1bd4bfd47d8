// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/delivery/dispatcher.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <limits>

#include "services/mail/delivery/dispatcher_self.h"

namespace postern::mail {

Dispatcher::Self::Self(boost::asio::io_context& context, const Parts& parts, const Seams& seams)
    : context_(context),
      queue_(parts.queue),
      next_hops_(parts.next_hops),
      seams_(seams),
      lanes_(context, parts.queue, parts.next_hops, seams_,
             [this](const RelayLanes::Group& group, const RelayResult* result) {
               relayed(group, result);
             }),
      notifier_(context, parts.queue, seams_, [this](uint64_t number) { added(number); }),
      local_(context, parts.queue, parts.mailboxes, seams_,
             [this](const LocalDelivery::Key& key, const Result<void>* done) {
               delivered(key, done);
             }) {
  notifier_.follow(settings_);
}

Dispatcher::Self::~Self() {
  *alive_ = false;
}

void Dispatcher::Self::follow(const MailSettings& settings) {
  if (settings.relay != settings_.relay) lanes_.let_go();
  const bool has_other_times = settings.delivery != settings_.delivery;
  settings_ = settings;
  // What waits has its time by the settings before.
  if (has_other_times && is_loaded_) load();
  // Another relay may be one that can be reached.
  lanes_.wake();
}

void Dispatcher::Self::load() {
  is_loaded_ = true;
  queue_.each([this](const QueuedMessage& message) {
    if (under_way_.count(message.number) == 0) schedule(message);
    return true;
  });
}

void Dispatcher::Self::tick() {
  if (!is_loaded_) load();
  if (!parked_.empty() && next_hops_.may_go_now()) {
    for (const uint64_t number : std::exchange(parked_, {})) {
      const QueuedMessage* message = queue_.find(number);
      if (message == nullptr || under_way_.count(number) != 0) continue;
      forced_.insert(number);
      schedule(*message);
    }
  }
  follow_clock();
  lanes_.tick();
  pump_later();
}

// The clock of the day was set: what was to be tried by the one before has other times now.
void Dispatcher::Self::follow_clock() {
  const int64_t apart_s = seams_.wall_s() - seams_.now().ns / seconds(1).ns;
  const bool was_set = apart_s_ && std::abs(apart_s - *apart_s_) > kClockStepS;
  apart_s_ = apart_s;
  if (was_set) load();
}

// When it is to be looked at again. What waits for the schedule is not in that before its expiry.
void Dispatcher::Self::schedule(const QueuedMessage& message) {
  if (is_to_scan(message)) return schedule_unscanned(message);
  if (!may_go(message)) return;
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  const bool may_relay = next_hops_.may_go_now();
  const int64_t now_s = seams_.wall_s();
  const int64_t expiry_s = std::max<int64_t>(settings_.delivery.expiry.ns / seconds(1).ns, 0);
  bool is_waiting = false, is_parked = false;
  int64_t due_s = kNever;
  for (size_t place = 0; place < message.progress.size(); ++place) {
    const Progress& progress = message.progress[place];
    if (progress.is_owed) due_s = 0;
    if (progress.state != RecipientState::waiting) continue;
    is_waiting = true;
    const bool is_elsewhere = message.envelope.recipients[place].user.empty();
    const int64_t next_s = due_of(progress, settings_.delivery, now_s);
    if (may_relay || !is_elsewhere) {
      due_s = std::min(due_s, next_s);
    } else {
      is_parked = true;
      const int64_t end_s = message.arrived_s + expiry_s;
      if (end_s > now_s || is_overdue(message, settings_.delivery, now_s))
        due_s = std::min(due_s, std::max(next_s, end_s));
    }
  }
  // One whose recipients all have their fate was to be removed, before a crash.
  if (!is_waiting || forced_.count(message.number) != 0) due_s = 0;
  if (is_parked) parked_.insert(message.number);
  if (due_s == kNever) return;
  due_.set(message.number, due_s);
  if (due_s == 0) pump_later();
}

// When its sender is to hear of it; at once where a crash came before that, or before its end.
void Dispatcher::Self::schedule_unscanned(const QueuedMessage& message) {
  const auto is_owed = [](const Progress& progress) {
    return progress.is_owed && progress.state == RecipientState::failed;
  };
  const bool is_late = std::any_of(message.progress.begin(), message.progress.end(), is_owed);
  const auto due_s = unscanned_due(message, settings_.delivery);
  due_.set(message.number, is_late ? 0 : due_s.value_or(0));
}

void Dispatcher::Self::pump_later() {
  if (is_pump_posted_ || !is_loaded_ || !due_.is_due(seams_.wall_s())) return;
  is_pump_posted_ = true;
  boost::asio::post(context_, [this, alive = alive_] {
    if (*alive) pump();
  });
}

void Dispatcher::Self::pump() {
  is_pump_posted_ = false;
  const int64_t now_s = seams_.wall_s();
  for (size_t i = 0; i < kStartsPerTurn; ++i) {
    const auto number = due_.take(now_s);
    if (!number) return;
    start(*number);
  }
  pump_later();
}

void Dispatcher::Self::added(uint64_t number) {
  const QueuedMessage* message = queue_.find(number);
  if (message == nullptr || under_way_.count(number) != 0) return;
  schedule(*message);
}

void Dispatcher::Self::retry(uint64_t number, const Queue::Done& then) {
  const QueuedMessage* message = queue_.find(number);
  if (message == nullptr) {
    if (then) then(Error{ErrorCode::not_found, "there is no message " + to_queue_id(number)});
    return;
  }
  const bool is_released = message->is_held();
  if (is_released) {
    log(MailEventKind::released, *message);
    // Who releases what no scanner has seen wants it to go as it is.
    if (message->is_unscanned) {
      queue_.scanned(number, message->front, HeldBy::nobody, then);
    } else {
      queue_.hold(number, HeldBy::nobody, then);
    }
  }
  forced_.insert(number);
  lanes_.wake();
  added(number);
  if (!is_released && then) then({});
}

void Dispatcher::Self::hold(uint64_t number, const Queue::Done& then) {
  const QueuedMessage* message = queue_.find(number);
  if (message == nullptr) {
    if (then) then(Error{ErrorCode::not_found, "there is no message " + to_queue_id(number)});
    return;
  }
  log(MailEventKind::held, *message);
  forget(number);
  queue_.hold(number, HeldBy::administrator, then);
}

void Dispatcher::Self::remove(uint64_t number, const Queue::Done& then) {
  const QueuedMessage* message = queue_.find(number);
  if (message == nullptr) {
    if (then) then(Error{ErrorCode::not_found, "there is no message " + to_queue_id(number)});
    return;
  }
  log(MailEventKind::removed, *message);
  forget(number);
  local_.forget(number);
  queue_.remove(number, then);
}

void Dispatcher::Self::discard(uint64_t number, const Queue::Done& then) {
  forget(number);
  local_.forget(number);
  queue_.remove(number, then);
}

void Dispatcher::Self::forget(uint64_t number) {
  due_.remove(number);
  parked_.erase(number);
  forced_.erase(number);
}

void Dispatcher::Self::retry_all() {
  lanes_.wake();
  queue_.each([this](const QueuedMessage& message) {
    if (!may_go(message) || under_way_.count(message.number) != 0) return true;
    forced_.insert(message.number);
    schedule(message);
    return true;
  });
}

void Dispatcher::Self::log(MailEventKind kind, const QueuedMessage& message) const {
  const std::string id = to_queue_id(message.number);
  MailEvent event;
  event.kind = kind;
  event.id = id;
  event.from = &message.envelope.sender;
  event.recipients = message.envelope.recipients.size();
  event.octets = message.octets;
  event.delay = seconds(seams_.wall_s() - message.arrived_s);
  event.result = "by an administrator";
  seams_.log(event);
}

Dispatcher::Dispatcher(boost::asio::io_context& context, const Parts& parts, const Seams& seams)
    : self_(std::make_unique<Self>(context, parts, seams)) {}

Dispatcher::~Dispatcher() = default;

void Dispatcher::follow(const MailSettings& settings) {
  self_->follow(settings);
}
void Dispatcher::tick() {
  self_->tick();
}
void Dispatcher::added(uint64_t number) {
  self_->added(number);
}
void Dispatcher::discard(uint64_t number, const Queue::Done& then) {
  self_->discard(number, then);
}
void Dispatcher::retry(uint64_t number, const Queue::Done& then) {
  self_->retry(number, then);
}
void Dispatcher::hold(uint64_t number, const Queue::Done& then) {
  self_->hold(number, then);
}
void Dispatcher::remove(uint64_t number, const Queue::Done& then) {
  self_->remove(number, then);
}
void Dispatcher::retry_all() {
  self_->retry_all();
}
Dispatcher::Counters Dispatcher::counters() const {
  return self_->counters();
}

}  // namespace postern::mail
