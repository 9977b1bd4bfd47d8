// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/fetch/fetch_session.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "services/mail/fetch/fetch_disk.h"
#include "services/mail/message/address.h"

namespace postern::mail {
namespace {

constexpr Duration kFarewell = seconds(5);
constexpr int64_t kNanoseconds = 1'000'000'000;

Pop3ClientSettings settings_of(const FetchAccount& account) {
  Pop3ClientSettings settings;
  settings.tls = account.tls.mode;
  settings.user = account.credentials.user;
  settings.password = account.credentials.password;
  settings.has_token = !account.credentials.token_command.empty();
  return settings;
}

}  // namespace

std::string memory_key(const FetchAccount& account) {
  return account.credentials.user + '@' + to_lower(account.host);
}

FetchSession::FetchSession(const Tools& tools, FetchAccount account, Manner manner, Then then)
    : tools_(tools),
      account_(std::move(account)),
      manner_(std::move(manner)),
      then_(std::move(then)),
      key_(memory_key(account_)),
      began_(tools.seams.now()),
      heard_(began_),
      client_(settings_of(account_), *this) {
  report_.unsaved = manner_.unsaved;
}

FetchSession::~FetchSession() {
  if (stream_) stream_->close();
}

void FetchSession::start() {
  dialer_ = std::make_unique<Dialer>(
      tools_.context, tools_.seams, Dialer::Server{account_.host, account_.port},
      [weak = weak_from_this()](const Result<Dialer::Reached>& outcome) {
        if (const auto self = weak.lock()) self->reached(outcome);
      });
}

void FetchSession::reached(const Result<Dialer::Reached>& reached) {
  dialer_.reset();
  heard_ = tools_.seams.now();
  if (!reached) return client_.lost(reached.error().text);
  address_ = reached->address;
  begin(reached->stream);
}

void FetchSession::begin(const std::shared_ptr<Stream>& stream) {
  stream_ = stream;
  // The session has the stream, so it is there in each call; it may go in it.
  const auto with = [weak = weak_from_this()](auto call) {
    return [weak, call](const auto&... args) {
      const auto self = weak.lock();
      if (!self || !self->stream_) return;
      self->heard_ = self->tools_.seams.now();
      call(*self, args...);
    };
  };
  Stream::Calls calls;
  calls.received =
      with([](FetchSession& self, std::string_view octets) { self.client_.take(octets); });
  calls.secured = with([](FetchSession& self, const Result<void>& done) { self.secured(done); });
  calls.end_of_input = with([](FetchSession& self) { self.client_.lost("the server closed it"); });
  calls.failed = with([](FetchSession& self, const Error& why) { self.client_.lost(why.text); });
  stream_->begin(std::move(calls));
  const bool is_implicit = account_.tls.mode == TlsMode::implicit;
  client_.begin(is_implicit);
  if (is_implicit) stream_->secure_as_client(manner_.tls, account_.host);
}

void FetchSession::secured(const Result<void>& outcome) {
  if (!outcome) return client_.lost(outcome.error().text);
  if (account_.tls.mode != TlsMode::implicit) client_.tls_started();
}

void FetchSession::tick() {
  if (dialer_) return dialer_->tick();
  const Instant now = tools_.seams.now();
  if (is_busy_) heard_ = now;
  if (stream_ && now - heard_ >= kSilence) client_.lost("the server is silent for too long");
  if (stream_ && !is_busy_ && now - began_ >= kLongest) client_.lost("it takes too long");
}

void FetchSession::send(std::string octets) {
  heard_ = tools_.seams.now();
  if (stream_) stream_->send(std::move(octets));
}

void FetchSession::start_tls() {
  stream_->secure_as_client(manner_.tls, account_.host);
}

void FetchSession::ask_token(bool is_again) {
  tools_.tokens.ask(account_.credentials.token_command, is_again,
                    [weak = weak_from_this()](const Result<std::string>& token) {
                      const auto self = weak.lock();
                      if (!self) return;
                      if (!token) return self->client_.lost(token.error().text);
                      self->client_.give_token(*token);
                    });
}

void FetchSession::listed(Pop3Listing listing) {
  listing_ = std::make_shared<const Pop3Listing>(std::move(listing));
  const auto work = [key = key_, there = listing_, unsaved = manner_.unsaved,
                     now_s = tools_.seams.wall_s()](
                        FetchMemory& memory) -> Result<std::vector<FetchMemory::Known>> {
    for (const std::string& uid : unsaved) {
      if (auto done = memory.take(key, uid, Fate::taken, now_s); !done) return done.error();
    }
    return memory.compare(key, *there, now_s);
  };
  ask_disk<std::vector<FetchMemory::Known>>(work, &FetchSession::compared);
}

void FetchSession::compared(const Result<std::vector<FetchMemory::Known>>& known) {
  if (!known) {
    fail(known.error().text);
  } else {
    report_.unsaved.clear();
    known_ = *known;
  }
  next();
}

// What is to be done with the messages from at_ on, until one of them has to be waited for.
void FetchSession::next() {
  if (client_.is_over()) return conclude();
  const auto& messages = listing_->messages();
  while (!is_failing_ && at_ < messages.size()) {
    if (take_step(messages[at_])) return;
    ++at_;
  }
  client_.quit();
}

// False: it stays as it is.
bool FetchSession::take_step(const Pop3Listing::Message& message) {
  const FetchMemory::Known& known = known_[at_];
  const bool is_large = message.octets > octets_max();
  uid_ = listing_->uid(message);
  if (known.fate == Fate::refused || (known.fate == Fate::too_large && is_large)) return false;
  if (known.fate == Fate::taken) {
    if (!may_go(known)) return false;
    client_.remove(message.number);
    return true;
  }
  if (is_large) {
    stay(Fate::too_large, "it is larger than is to be fetched");
    return is_busy_;
  }
  if (uid_.empty() && account_.leaves) {
    trouble("the server has no ids for messages (UIDL), so they cannot be left there");
    return false;
  }
  fetch(message);
  return true;
}

// Of a message as its server has it. What the queue could never hold is too large, too: it would
// be fetched again and again.
uint64_t FetchSession::octets_max() const {
  const QueueLimits& limits = tools_.queue.limits();
  const uint64_t queue = std::min(limits.message_octets, limits.octets);
  return std::min(account_.message_octets, queue > kTraceMax ? queue - kTraceMax : 0);
}

bool FetchSession::may_go(const FetchMemory::Known& known) const {
  if (!account_.leaves) return true;
  const int64_t kept_s = account_.leaves_for.ns / kNanoseconds;
  return kept_s > 0 && tools_.seams.wall_s() - known.since_s >= kept_s;
}

void FetchSession::removed(const Result<void>& outcome) {
  if (outcome) {
    gone_.push_back(uid_);
  } else {
    trouble("the server does not remove a message: " + outcome.error().text);
  }
  ++at_;
  next();
}

// Of one message: those behind it are fetched all the same.
void FetchSession::trouble(const std::string& why) {
  if (report_.outcome.empty()) report_.outcome = why;
}

// Of the disk or the queue: the next message would fare no better.
void FetchSession::fail(const std::string& why) {
  is_failing_ = true;
  trouble(why);
}

void FetchSession::over(const Result<void>& outcome) {
  if (!outcome && report_.outcome.empty()) report_.outcome = outcome.error().text;
  if (!outcome) gone_.clear();
  if (stream_) stream_->close_when_sent(kFarewell);
  stream_.reset();
  dialer_.reset();
  if (!is_busy_) conclude();
}

// The connection is over, and nothing is under way: what is gone at the server is forgotten.
void FetchSession::conclude() {
  message_.reset();
  if (!gone_.empty()) {
    const auto work = [key = key_,
                       gone = std::exchange(gone_, {})](FetchMemory& memory) -> Result<bool> {
      if (auto done = memory.forget(key, gone); !done) return done.error();
      return true;
    };
    return ask_disk<bool>(work, &FetchSession::forgotten);
  }
  if (std::exchange(is_over_, true)) return;
  boost::asio::post(tools_.context, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->then_(self->report_);
  });
}

void FetchSession::forgotten(const Result<bool>& outcome) {
  if (!outcome) trouble(outcome.error().text);
  conclude();
}

void FetchSession::tell(MailEventKind kind, const std::string& result, uint64_t octets) const {
  MailEvent event;
  event.kind = kind;
  event.by = "fetch";
  event.remote = account_.name;
  event.octets = octets;
  event.result = result;
  tools_.seams.log(event);
}

}  // namespace postern::mail
