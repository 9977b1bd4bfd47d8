// SPDX-License-Identifier: BSD-3-Clause
// FetchSession: one message, from RETR until it may be removed at the server.
#include <algorithm>
#include <set>
#include <utility>

#include "services/mail/fetch/fetch_disk.h"
#include "services/mail/fetch/fetch_session.h"
#include "services/mail/message/address.h"

namespace postern::mail {
namespace {

constexpr size_t kIdMax = 200;  // octets of a Message-ID that are told

}  // namespace

void FetchSession::fetch(const Pop3Listing::Message& message) {
  FetchedFacts facts;
  facts.host = manner_.host;
  facts.server = account_.host;
  facts.address = address_;
  facts.tls = stream_->tls_text();
  facts.time_s = tools_.seams.wall_s();
  facts.zone_min = tools_.seams.zone_min();
  message_ = FetchedMessage::begin(tools_.queue, message.octets, octets_max(), facts);
  if (!message_) {
    report_.outcome = "the queue has no room now";
    return client_.quit();
  }
  client_.retrieve(message.number);
}

void FetchSession::text(std::string_view octets) {
  if (!message_) return;
  if (!message_->feed(octets)) return break_text();
  if (is_held_up_ || !message_->incoming().is_behind()) return;
  is_held_up_ = true;
  stream_->want_input(false);
  message_->incoming().when_caught_up([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->read_on();
  });
}

void FetchSession::read_on() {
  heard_ = tools_.seams.now();
  if (std::exchange(is_held_up_, false) && stream_) stream_->want_input(true);
}

// The server has no word for "enough": the connection ends, and the message stays there.
void FetchSession::break_text() {
  const bool is_too_large = message_->is_too_large();
  const uint64_t octets = message_->octets();
  message_.reset();
  if (is_too_large) {
    // Its size was not what was listed, so it would be tried again and again.
    if (uid_.empty()) uid_ = listed_uid(listing_->messages()[at_]);
    tell(MailEventKind::refused, "it is larger than is to be fetched, and stays at its server",
         octets);
    settle(Fate::refused);
  }
  client_.lost(is_too_large ? "a message is larger than the server says"
                            : "the queue has no room now");
}

void FetchSession::retrieved(const Result<void>& outcome) {
  read_on();
  if (outcome) {
    message_->finish();
    return find_recipients();
  }
  message_.reset();
  trouble("the server does not give a message: " + outcome.error().text);
  go_on();
}

void FetchSession::find_recipients() {
  const HeaderFields& fields = message_->header().fields();
  if (uid_.empty()) uid_ = FetchMemory::kOwnUid + message_->hash();
  sender_ = fetched_sender(fields);
  if (goes_round(message_->header(), manner_.multidrop->book()))
    return stay(Fate::refused, "it goes round in a circle");
  if (!choose_recipients(fields)) {
    message_.reset();
    trouble("there is nobody here for a message, and no postmaster; it stays at its server");
    return go_on();
  }
  FetchMemory::Intent intent{key_, uid_, message_->number(), {}, message_->incoming().octets()};
  for (const Copy& copy : copies_)
    intent.keys.push_back(copy.key);
  const bool is_own_uid = uid_.front() == FetchMemory::kOwnUid;
  const auto work = [intent, is_own_uid](FetchMemory& memory) -> Result<Begun> {
    if (is_own_uid) {
      const auto known = memory.find(intent.account, intent.uid);
      if (!known) return known.error();
      if (known->fate == Fate::taken) return Begun{true, {}};
    }
    auto has_copy = memory.begin(intent);
    if (!has_copy) return has_copy.error();
    return Begun{false, std::move(*has_copy)};
  };
  ask_disk<Begun>(work, &FetchSession::begun);
}

// False: there is nobody.
bool FetchSession::choose_recipients(const HeaderFields& fields) {
  recipients_.clear();
  copies_.clear();
  const Multidrop& multidrop = *manner_.multidrop;
  if (!account_.to.empty()) {
    // A mailbox of one owner: what lies there twice is theirs twice.
    recipients_ = {multidrop.address_of(account_.to)};
    return !multidrop.targets_of(recipients_.front()).empty();
  }
  recipients_ = multidrop.find(account_, fields).recipients;
  std::set<Target> targets;
  for (const Address& address : recipients_)
    targets.merge(multidrop.targets_of(address));
  std::string ids = message_ids(fields);
  if (ids.empty()) ids = message_->hash();
  // Some programs give all their messages one id, and anybody can give theirs that of another.
  ids += message_->content();
  copies_.reserve(targets.size());
  for (const Target& target : targets) {
    const std::string name = target.user.empty() ? to_path(target.address) : target.user;
    copies_.push_back({target, copy_key(key_, ids, name)});
  }
  return !targets.empty();
}

void FetchSession::begun(const Result<Begun>& begun) {
  if (!begun) {
    message_.reset();
    fail(begun.error().text);
    return go_on();
  }
  std::vector<Recipient> recipients;
  if (!begun->is_known) {
    recipients = still_without(begun->has_copy);
    tell_copies(begun->has_copy);
  }
  if (!recipients.empty()) return hand_over(std::move(recipients));
  // All have a copy of it.
  message_.reset();
  settle(Fate::taken);
}

// Of each copy that is not delivered, so that nothing goes without a word.
void FetchSession::tell_copies(const std::vector<bool>& has_copy) const {
  const std::string id(message_->header().fields().find("Message-ID").substr(0, kIdMax));
  const std::string result = "another copy of it was delivered: Message-ID " + id;
  for (size_t i = 0; i < copies_.size(); ++i) {
    if (!has_copy[i]) continue;
    const Target& target = copies_[i].target;
    const Address user = {target.user, manner_.multidrop->book().own_domain};
    const Recipient recipient{target.user.empty() ? target.address : user, 0, ""};
    MailEvent event;
    event.kind = MailEventKind::discarded;
    event.from = &sender_;
    event.to = &recipient;
    event.by = "fetch";
    event.remote = account_.name;
    event.octets = message_->octets();
    event.result = result;
    tools_.seams.log(event);
  }
}

// Those recipients who have no copy yet; of a group, where only some have, the others alone.
std::vector<Recipient> FetchSession::still_without(const std::vector<bool>& has_copy) const {
  std::vector<Recipient> out;
  std::set<Target> without;
  for (size_t i = 0; i < copies_.size(); ++i) {
    if (!has_copy[i]) without.insert(copies_[i].target);
  }
  const bool all = without.size() == copies_.size();
  for (const Address& address : recipients_) {
    std::vector<Recipient> direct;
    bool is_whole = true;
    bool is_reachable = true;
    for (const Target& target : manner_.multidrop->targets_of(address)) {
      const bool is_without = without.count(target) != 0;
      is_whole = is_whole && is_without;
      const auto own = manner_.multidrop->direct_address(target);
      is_reachable = is_reachable && (own || !is_without);
      if (own && is_without) direct.push_back({*own, 0, ""});
    }
    if (all || is_whole || !is_reachable) direct = {{address, 0, ""}};
    for (Recipient& one : direct) {
      if (std::find(out.begin(), out.end(), one) == out.end()) out.push_back(std::move(one));
    }
  }
  return out;
}

void FetchSession::hand_over(std::vector<Recipient> recipients) {
  Envelope envelope;
  envelope.sender = sender_;
  envelope.is_utf8 = needs_utf8(sender_);
  for (const Recipient& one : recipients)
    envelope.is_utf8 = envelope.is_utf8 || needs_utf8(one.address);
  envelope.recipients = std::move(recipients);
  envelope.is_8bit = message_->is_8bit();
  envelope.client = address_;
  is_busy_ = true;
  number_ = message_->number();
  tools_.intake.finish(message_->take_incoming(), std::move(envelope), message_->header().fields(),
                       "fetch", [weak = weak_from_this()](const Reply& reply) {
                         const auto self = weak.lock();
                         if (!self) return;
                         self->is_busy_ = false;
                         self->answered(reply);
                       });
}

void FetchSession::answered(const Reply& reply) {
  if (reply.is_ok()) {
    ++report_.fetched;
    queued_ = number_;
    return settle(Fate::taken);
  }
  if (reply.is_permanent()) {
    return stay(Fate::refused, to_text(reply));
  }
  const std::string why = "a message cannot be taken now: " + to_text(reply);
  const bool is_queue = reply.code == 452;  // else it is a scanner that wants it later
  if (is_queue) {
    fail(why);
  } else {
    trouble(why);
  }
  go_on();
}

// It stays at its server, which is told once.
void FetchSession::stay(Fate fate, const std::string& why) {
  const uint64_t octets = message_ ? message_->octets() : listing_->messages()[at_].octets;
  message_.reset();
  if (uid_.empty()) {
    // Nothing to remember it by: so it is told as the outcome, which is told once.
    if (report_.outcome.empty()) report_.outcome = "a message stays there: " + why;
    return;
  }
  tell(MailEventKind::refused, why + "; it stays at its server", octets);
  settle(fate);
}

void FetchSession::settle(Fate fate) {
  fate_ = fate;
  const auto work = [key = key_, uid = uid_, fate,
                     now_s = tools_.seams.wall_s()](FetchMemory& memory) -> Result<bool> {
    if (auto done = memory.take(key, uid, fate, now_s); !done) return done.error();
    return true;
  };
  ask_disk<bool>(work, &FetchSession::settled);
}

void FetchSession::settled(const Result<bool>& outcome) {
  // Not before: after a crash the queue is asked whether it has the message. Where the disk does
  // not take it, a second copy after a crash is better than none now.
  if (const uint64_t number = std::exchange(queued_, 0); number != 0) tools_.intake.go(number);
  if (!outcome) {
    // It is in the queue all the same: the next session says so first.
    if (fate_ == Fate::taken) report_.unsaved.push_back(uid_);
    fail(outcome.error().text);
    return go_on();
  }
  if (fate_ != Fate::taken || account_.leaves || client_.is_over()) return go_on();
  client_.remove(listing_->messages()[at_].number);
}

void FetchSession::go_on() {
  message_.reset();
  ++at_;
  next();
}

}  // namespace postern::mail
