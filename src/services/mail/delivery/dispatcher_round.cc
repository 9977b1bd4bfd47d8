// SPDX-License-Identifier: BSD-3-Clause
// One round of a message: its recipients that are due are tried, and what comes of that.
#include <algorithm>

#include "services/mail/delivery/dispatcher_self.h"
#include "services/mail/message/address.h"
#include "services/mail/routing/final_recipients.h"

namespace postern::mail {
namespace {

// Where it is for: what makes two recipients one copy.
bool is_same_place(const Recipient& a, const Recipient& b) {
  if (a.user.empty() != b.user.empty()) return false;
  return a.user.empty() ? a.address == b.address : a.user == b.user;
}

MailEventKind kind_of(const Recipient& recipient, RecipientState state) {
  if (state == RecipientState::waiting) return MailEventKind::deferred;
  if (state == RecipientState::failed) return MailEventKind::failed;
  return recipient.user.empty() ? MailEventKind::relayed : MailEventKind::delivered;
}

}  // namespace

// Nobody here has that mailbox any more, or an address elsewhere is ours now.
bool Dispatcher::Self::is_homeless(const Recipient& recipient) const {
  if (!recipient.user.empty()) return settings_.book.users.count(recipient.user) == 0;
  return is_own(settings_.book, recipient.address);
}

void Dispatcher::Self::start(uint64_t number) {
  const QueuedMessage* message = queue_.find(number);
  if (message == nullptr || !(may_go(*message) || is_to_scan(*message))) return;
  const auto [task, is_new] = under_way_.try_emplace(number);
  if (!is_new) return;
  const bool is_forced = forced_.erase(number) != 0;
  parked_.erase(number);
  task->second.running = 1;  // this function
  if (may_go(*message)) {
    reroute(*message);
    try_places(*message, is_forced, task->second);
  } else {
    apply(number, unscanned_places(*message));
  }
  end_group(number);
}

Dispatcher::Self::Attempts Dispatcher::Self::unscanned_places(const QueuedMessage& message) const {
  Attempts late;
  const auto due_s = unscanned_due(message, settings_.delivery);
  if (!due_s || *due_s > seams_.wall_s()) return late;
  for (size_t place = 0; place < message.progress.size(); ++place) {
    if (message.progress[place].state == RecipientState::waiting)
      late.push_back({place, {{451, "4.3.0", "no scanner has looked at it yet"}, "", {}}});
  }
  return late;
}

// Who was decided for when the message came may have gone since: then it is decided again, without
// the rules that ask for header fields.
void Dispatcher::Self::reroute(const QueuedMessage& message) {
  Envelope homeless;
  homeless.sender = message.envelope.sender;
  std::vector<size_t> places;
  for (size_t place = 0; place < message.progress.size(); ++place) {
    const Recipient& recipient = message.envelope.recipients[place];
    if (message.progress[place].state != RecipientState::waiting || !is_homeless(recipient))
      continue;
    places.push_back(place);
    homeless.recipients.push_back(recipient);
    homeless.recipients.back().user.clear();
    homeless.recipients.back().folder.clear();
  }
  if (places.empty()) return;
  FinalRecipients found = final_recipients(settings_.book, {}, {homeless, HeaderFields()});
  if (found.is_cut || found.recipients == homeless.recipients) return;
  std::vector<Recipient> recipients = message.envelope.recipients;
  std::vector<Progress> progress = message.progress;
  // The others stay where they are; those found take the places of these, then new ones.
  for (const size_t place : places)
    progress[place].state = RecipientState::expanded;
  size_t used = 0;
  for (Recipient& one : found.recipients) {
    bool is_known = false;
    for (size_t place = 0; place < recipients.size() && !is_known; ++place) {
      is_known = progress[place].state != RecipientState::expanded &&
                 is_same_place(one, recipients[place]);
    }
    if (is_known) continue;
    if (used < places.size()) {
      const size_t place = places[used++];
      recipients[place] = std::move(one);
      progress[place].state = RecipientState::waiting;
    } else {
      recipients.push_back(std::move(one));
      progress.emplace_back();
    }
  }
  queue_.replace(message.number, std::move(recipients), std::move(progress));
}

void Dispatcher::Self::try_places(const QueuedMessage& message, bool is_forced, Task& task) {
  const int64_t now_s = seams_.wall_s();
  const bool may_relay = next_hops_.may_go_now();
  std::map<std::string, std::vector<size_t>> by_hop;
  Attempts hopeless;
  for (size_t place = 0; place < message.progress.size(); ++place) {
    const Progress& progress = message.progress[place];
    const Recipient& recipient = message.envelope.recipients[place];
    if (progress.state != RecipientState::waiting) continue;
    if (!is_forced && due_of(progress, settings_.delivery, now_s) > now_s) continue;
    if (is_homeless(recipient)) {
      hopeless.push_back(
          {place, {{550, "5.1.1", "nobody here has that address any more"}, "", {}}});
    } else if (!recipient.user.empty()) {
      ++task.running;
      local_.add({message.number, place});
    } else if (may_relay) {
      by_hop[next_hops_.hop_of(message.envelope.sender, recipient.address)].push_back(place);
    } else if (is_overdue(message, settings_.delivery, now_s)) {
      hopeless.push_back({place, {{451, "4.4.7", "the time for relaying has not come"}, "", {}}});
    }
  }
  for (auto& [hop, places] : by_hop) {
    for (size_t first = 0; first < places.size(); first += kPlacesMax) {
      const size_t last = std::min(first + kPlacesMax, places.size());
      if (hop.empty()) {
        for (size_t i = first; i < last; ++i)
          hopeless.push_back(
              {places[i], {{451, "4.4.4", "no relay is configured for it"}, "", {}}});
        continue;
      }
      ++task.running;
      const auto begin = places.begin();
      lanes_.add(hop, {message.number,
                       {begin + static_cast<std::ptrdiff_t>(first),
                        begin + static_cast<std::ptrdiff_t>(last)}});
    }
  }
  apply(message.number, hopeless);
}

void Dispatcher::Self::delivered(const LocalDelivery::Key& key, const Result<void>* done) {
  if (done != nullptr) {
    Attempt attempt;
    attempt.reply =
        *done ? Reply{250, "2.0.0", "in the mailbox"} : Reply{451, "4.2.0", done->error().text};
    apply(key.number, {{key.place, std::move(attempt)}});
  }
  end_group(key.number);
}

void Dispatcher::Self::relayed(const RelayLanes::Group& group, const RelayResult* result) {
  if (result != nullptr) {
    Attempts attempts;
    attempts.reserve(result->replies.size());
    for (const auto& [place, reply] : result->replies)
      attempts.push_back({place, {reply, result->remote, result->has_dsn, result->was_tried}});
    const auto is_answered = [&attempts](size_t place) {
      return std::any_of(attempts.begin(), attempts.end(),
                         [place](const auto& attempt) { return attempt.first == place; });
    };
    for (const size_t place : group.places) {
      if (!is_answered(place))
        attempts.push_back({place, {{451, "4.4.0", "nothing was said of it"}, "", {}}});
    }
    apply(group.number, attempts);
  }
  end_group(group.number);
}

void Dispatcher::Self::apply(uint64_t number, const Attempts& attempts) {
  const QueuedMessage* message = queue_.find(number);
  if (message == nullptr || attempts.empty()) return;
  const int64_t now_s = seams_.wall_s();
  Queue::Changes changes;
  changes.reserve(attempts.size());
  for (const auto& [place, attempt] : attempts) {
    const bool is_open = place < message->progress.size() &&
                         message->progress[place].state == RecipientState::waiting;
    if (!is_open) continue;
    changes.emplace_back(static_cast<uint32_t>(place),
                         progress_after(attempt, *message, place, settings_.delivery, now_s));
  }
  queue_.change(number, std::move(changes));
  for (const auto& [place, attempt] : attempts)
    count_and_log(*message, place, attempt);
}

void Dispatcher::Self::count_and_log(const QueuedMessage& message, size_t place,
                                     const Attempt& attempt) {
  if (place >= message.progress.size()) return;
  const Recipient& recipient = message.envelope.recipients[place];
  const std::string id = to_queue_id(message.number);
  const std::string result = to_text(attempt.reply);
  MailEvent event;
  event.kind = kind_of(recipient, message.progress[place].state);
  if (event.kind == MailEventKind::deferred) ++counters_.deferred;
  if (event.kind == MailEventKind::failed) ++counters_.failed;
  if (event.kind == MailEventKind::relayed) ++counters_.relayed;
  if (event.kind == MailEventKind::delivered) ++counters_.delivered;
  event.id = id;
  event.from = &message.envelope.sender;
  event.to = &recipient;
  event.by = recipient.user.empty() ? "relay" : "local";
  event.remote = recipient.user.empty() ? attempt.remote : recipient.user;
  event.octets = message.octets;
  event.delay = seconds(seams_.wall_s() - message.arrived_s);
  event.result = result;
  seams_.log(event);
}

void Dispatcher::Self::end_group(uint64_t number) {
  const auto at = under_way_.find(number);
  if (at == under_way_.end() || --at->second.running != 0) return;
  conclude(number);
}

void Dispatcher::Self::conclude(uint64_t number) {
  const QueuedMessage* message = queue_.find(number);
  if (message == nullptr) {
    under_way_.erase(number);
    forget(number);
    return;
  }
  const int64_t now_s = seams_.wall_s();
  std::vector<size_t> to_tell;
  bool is_waiting = false;
  for (size_t place = 0; place < message->progress.size(); ++place) {
    const Progress& progress = message->progress[place];
    is_waiting = is_waiting || progress.state == RecipientState::waiting;
    if (progress.is_owed || is_late(*message, place, settings_.delivery, now_s))
      to_tell.push_back(place);
  }
  if (!to_tell.empty()) return tell(*message, to_tell);
  under_way_.erase(number);
  if (is_waiting) return schedule(*message);
  forget(number);
  local_.forget(number);
  queue_.remove(number);
}

void Dispatcher::Self::tell(const QueuedMessage& message, const std::vector<size_t>& places) {
  const int64_t now_s = seams_.wall_s();
  std::vector<DsnRecipient> about;
  about.reserve(places.size());
  for (const size_t place : places)
    about.push_back(dsn_recipient(message, place, settings_.delivery, now_s));
  under_way_[message.number].is_telling = true;
  notifier_.tell(
      message.number, std::move(about),
      [this, number = message.number, places](bool is_told) { told(number, places, is_told); });
}

void Dispatcher::Self::told(uint64_t number, const std::vector<size_t>& places, bool is_told) {
  const QueuedMessage* message = queue_.find(number);
  if (!is_told && message != nullptr) {
    under_way_.erase(number);
    if (may_go(*message) || is_to_scan(*message)) due_.set(number, seams_.wall_s() + kTellAgainS);
    return;
  }
  if (message != nullptr) {
    ++counters_.notified;
    Queue::Changes changes;
    changes.reserve(places.size());
    for (const size_t place : places) {
      Progress after = message->progress[place];
      if (after.state == RecipientState::waiting) after.was_told_late = true;
      after.is_owed = false;
      changes.emplace_back(static_cast<uint32_t>(place), std::move(after));
    }
    queue_.change(number, std::move(changes));
  }
  conclude(number);
}

}  // namespace postern::mail
