// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/delivery/intake.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "services/mail/message/address.h"
#include "services/mail/routing/final_recipients.h"
#include "services/mail/scan/scanner.h"

namespace postern::mail {
namespace {

constexpr Duration kAgain = seconds(60);  // until what could not be scanned is scanned again
constexpr size_t kAgainMax = 50;          // messages at a time: half of what Scanner lets wait

Reply queued(uint64_t number) {
  return {250, "2.0.0", "Ok: queued as " + to_queue_id(number)};
}

}  // namespace

class Intake::Self : public std::enable_shared_from_this<Intake::Self> {
 public:
  Self(Queue& queue, Dispatcher& dispatcher, Scan scan, const Seams& seams)
      : queue_(queue), dispatcher_(dispatcher), scan_(std::move(scan)), seams_(seams) {}

  void follow(const MailSettings& settings) { settings_ = settings; }
  void tick();
  void finish(std::unique_ptr<Incoming> incoming, Envelope envelope, const HeaderFields& fields,
              std::string_view by, const Then& then);
  void go(uint64_t number) { dispatcher_.added(number); }
  const Counters& counters() const { return counters_; }

 private:
  // Who waits for the answer; `then` empty: nobody does any more.
  struct Asker {
    std::string by;
    Then then;
    std::shared_ptr<const QueuedMessage> brought;  // while it is scanned
  };

  void committed(const Result<uint64_t>& done, const Envelope& envelope, const Asker& asker);
  void scan(uint64_t number, const Asker& asker);
  bool scan_next();
  void go_on(const ScanVerdict& verdict);
  void judge(uint64_t number, const Asker& asker, const ScanVerdict& verdict);
  void judge_infected(uint64_t number, const Asker& asker, const ScanVerdict& verdict);
  void judge_unavailable(uint64_t number, const Asker& asker, const std::string& what);
  void let_go(uint64_t number, const Asker& asker, const std::string& added);
  void accept(uint64_t number, const Asker& asker);
  void refuse(uint64_t number, const Asker& asker, const Reply& reply);
  void log(MailEventKind kind, const QueuedMessage& message, const Asker& asker,
           std::string_view result) const;
  void log_refusal(const Envelope& envelope, const Asker& asker, const Reply& reply);

  Queue& queue_;
  Dispatcher& dispatcher_;
  Scan scan_;
  const Seams seams_;
  MailSettings settings_;
  Counters counters_;
  std::set<uint64_t> unscanned_;             // in the queue
  std::unordered_set<uint64_t> in_scanner_;  // of those
  std::deque<uint64_t> again_;               // of them: those that come next, nobody waits for
  bool is_loaded_ = false;
  Instant again_at_ = {};
  uint64_t last_again_ = 0;
};

void Intake::Self::finish(std::unique_ptr<Incoming> incoming, Envelope envelope,
                          const HeaderFields& fields, std::string_view by, const Then& then) {
  const Asker asker{std::string(by), then, {}};
  FinalRecipients found =
      final_recipients(settings_.book, settings_.sorting, SortingFacts{envelope, fields});
  if (found.is_cut) {
    const Reply reply{554, "5.5.3", "too many recipients behind the addresses"};
    log_refusal(envelope, asker, reply);
    return then(reply);
  }
  envelope.recipients = std::move(found.recipients);
  if (!envelope.sender.is_null()) {
    incoming->set_expanded(found.expanded.size());
    std::move(found.expanded.begin(), found.expanded.end(),
              std::back_inserter(envelope.recipients));
  }
  if (settings_.scan.is_wanted()) incoming->set_unscanned();
  Envelope copy = envelope;
  incoming->commit(
      std::move(envelope), seams_.wall_s(),
      [weak = weak_from_this(), asker, said = std::move(copy)](const Result<uint64_t>& done) {
        if (const auto self = weak.lock()) self->committed(done, said, asker);
      });
}

void Intake::Self::committed(const Result<uint64_t>& done, const Envelope& envelope,
                             const Asker& asker) {
  if (!done) {
    const Reply reply{452, "4.3.1", "there is no room for it now"};
    log_refusal(envelope, asker, reply);
    return asker.then(reply);
  }
  if (!queue_.find(*done)->is_unscanned) return accept(*done, asker);
  unscanned_.insert(*done);
  dispatcher_.added(*done);
  scan(*done, {asker.by, asker.then, std::make_shared<QueuedMessage>(*queue_.find(*done))});
}

void Intake::Self::scan(uint64_t number, const Asker& asker) {
  in_scanner_.insert(number);
  queue_.read(number,
              [weak = weak_from_this(), number, asker](Result<std::shared_ptr<const Body>> text) {
                const auto self = weak.lock();
                if (!self) return;
                const QueuedMessage* message = self->queue_.find(number);
                if (!text || message == nullptr) {
                  ScanVerdict verdict;
                  verdict.what = text ? "the message is gone" : text.error().text;
                  return self->judge(number, asker, verdict);
                }
                ScanJob job;
                job.id = to_queue_id(number);
                job.envelope = message->envelope;
                job.body = std::move(*text);
                self->scan_(std::move(job), [weak, number, asker](const ScanVerdict& verdict) {
                  if (const auto alive = weak.lock()) alive->judge(number, asker, verdict);
                });
              });
}

void Intake::Self::judge(uint64_t number, const Asker& asker, const ScanVerdict& verdict) {
  in_scanner_.erase(number);
  if (!asker.then) go_on(verdict);
  const QueuedMessage* message = queue_.find(number);
  if (message == nullptr || !message->is_unscanned) {
    // An administrator has removed or released it meanwhile.
    unscanned_.erase(number);
    return accept(number, asker);
  }
  switch (verdict.kind) {
    case ScanVerdict::Kind::clean:
      return let_go(number, asker, verdict.added);
    case ScanVerdict::Kind::infected:
      return judge_infected(number, asker, verdict);
    case ScanVerdict::Kind::defer:
      // Where nobody waits for the answer, it is asked again.
      if (asker.then) refuse(number, asker, verdict.reply);
      return;
    case ScanVerdict::Kind::unavailable:
      return judge_unavailable(number, asker, verdict.what);
  }
}

void Intake::Self::judge_infected(uint64_t number, const Asker& asker, const ScanVerdict& verdict) {
  WithInfected what = settings_.scan.infected;
  if (verdict.is_hold) what = WithInfected::hold;
  if (verdict.is_discard) what = WithInfected::discard;
  // Who could have been refused has gone, perhaps with our 250: somebody has to look at it.
  if (what == WithInfected::refuse && !asker.then) what = WithInfected::hold;
  if (what == WithInfected::refuse) return refuse(number, asker, verdict.reply);
  unscanned_.erase(number);
  const QueuedMessage& message = *queue_.find(number);
  if (what == WithInfected::discard) {
    ++counters_.discarded;
    log(MailEventKind::discarded, message, asker, verdict.what);
    accept(number, asker);
    dispatcher_.discard(number);
    return;
  }
  ++counters_.held;
  log(MailEventKind::held, message, asker, verdict.what);
  queue_.scanned(number, message.front + verdict.added, std::max(message.held_by, HeldBy::scanner));
  accept(number, asker);
}

void Intake::Self::judge_unavailable(uint64_t number, const Asker& asker, const std::string& what) {
  const QueuedMessage& message = *queue_.find(number);
  if (settings_.scan.without == WithoutScanner::pass) {
    log(MailEventKind::unscanned, message, asker, "passed on: " + what);
    return let_go(number, asker, "");
  }
  if (!message.is_held()) {
    ++counters_.held;
    log(MailEventKind::unscanned, message, asker, "held: " + what);
    queue_.hold(number, HeldBy::scanner);
  }
  if (asker.then) accept(number, asker);
}

// To its recipients.
void Intake::Self::let_go(uint64_t number, const Asker& asker, const std::string& added) {
  const QueuedMessage& message = *queue_.find(number);
  unscanned_.erase(number);
  // Held as no scanner could be asked; what an administrator holds stays so.
  const bool is_released = message.held_by == HeldBy::scanner;
  if (is_released) log(MailEventKind::released, message, asker, "by a scanner");
  queue_.scanned(number, message.front + added, is_released ? HeldBy::nobody : message.held_by);
  accept(number, asker);
}

void Intake::Self::accept(uint64_t number, const Asker& asker) {
  const Reply reply = queued(number);
  if (asker.then) {
    const QueuedMessage* message = queue_.find(number);
    const bool is_fetched = asker.by == "fetch";
    uint64_t& counter = is_fetched ? counters_.fetched : counters_.received;
    ++counter;
    log(MailEventKind::received, message != nullptr ? *message : *asker.brought, asker,
        to_text(reply));
    asker.then(reply);
    if (is_fetched) return;  // go() follows
  }
  dispatcher_.added(number);
}

void Intake::Self::refuse(uint64_t number, const Asker& asker, const Reply& reply) {
  unscanned_.erase(number);
  log_refusal(queue_.find(number)->envelope, asker, reply);
  // Not before it is gone for good: after a crash it would be here, and come again as well.
  dispatcher_.discard(number, [asker, reply](const Result<void>&) { asker.then(reply); });
}

void Intake::Self::tick() {
  if (!is_loaded_) {
    is_loaded_ = true;
    queue_.each([this](const QueuedMessage& message) {
      if (message.is_unscanned) unscanned_.insert(message.number);
      return true;
    });
  }
  if (unscanned_.empty() || seams_.now() < again_at_) return;
  again_at_ = seams_.now() + kAgain;
  const auto next = unscanned_.upper_bound(last_again_);
  again_.assign(next, unscanned_.end());
  again_.insert(again_.end(), unscanned_.begin(), next);
  for (size_t i = 0; i < kAgainMax && scan_next(); ++i) {
  }
}

// False: there is none.
bool Intake::Self::scan_next() {
  const Asker nobody{"local", {}, {}};
  while (!again_.empty()) {
    const uint64_t number = last_again_ = again_.front();
    again_.pop_front();
    const QueuedMessage* message = queue_.find(number);
    if (in_scanner_.count(number) != 0) continue;
    if (message == nullptr || !message->is_unscanned) {
      unscanned_.erase(number);
    } else if (settings_.scan.is_wanted()) {
      scan(number, nobody);
      return true;
    } else {
      log(MailEventKind::unscanned, *message, nobody, "passed on: no scanner is configured now");
      let_go(number, nobody, "");
    }
  }
  return false;
}

// One that nobody waits for: the others follow as fast as there are answers.
void Intake::Self::go_on(const ScanVerdict& verdict) {
  if (verdict.kind != ScanVerdict::Kind::unavailable) {
    scan_next();
  } else if (settings_.scan.without == WithoutScanner::hold) {
    again_.clear();
  }
}

void Intake::Self::log(MailEventKind kind, const QueuedMessage& message, const Asker& asker,
                       std::string_view result) const {
  const Envelope& envelope = message.envelope;
  const std::string id = to_queue_id(message.number);
  MailEvent event;
  event.kind = kind;
  event.id = id;
  event.from = &envelope.sender;
  if (envelope.recipients.size() == 1) event.to = &envelope.recipients.front();
  event.recipients = envelope.recipients.size();
  event.by = asker.by;
  event.client = envelope.client;
  event.user = envelope.user;
  event.octets = message.octets;
  event.delay = seconds(seams_.wall_s() - message.arrived_s);
  event.result = result;
  seams_.log(event);
}

void Intake::Self::log_refusal(const Envelope& envelope, const Asker& asker, const Reply& reply) {
  ++counters_.refused;
  const std::string result = to_text(reply);
  MailEvent event;
  event.kind = MailEventKind::refused;
  event.from = &envelope.sender;
  if (envelope.recipients.size() == 1) event.to = &envelope.recipients.front();
  event.recipients = envelope.recipients.size();
  event.by = asker.by;
  event.client = envelope.client;
  event.user = envelope.user;
  event.result = result;
  seams_.log(event);
}

Intake::Intake(Queue& queue, Dispatcher& dispatcher, Scan scan, const Seams& seams)
    : self_(std::make_shared<Self>(queue, dispatcher, std::move(scan), seams)) {}

Intake::~Intake() = default;

void Intake::follow(const MailSettings& settings) {
  self_->follow(settings);
}
void Intake::tick() {
  self_->tick();
}
void Intake::finish(std::unique_ptr<Incoming> incoming, Envelope envelope,
                    const HeaderFields& fields, std::string_view by, const Then& then) {
  self_->finish(std::move(incoming), std::move(envelope), fields, by, then);
}
void Intake::go(uint64_t number) {
  self_->go(number);
}
Intake::Counters Intake::counters() const {
  return self_->counters();
}

}  // namespace postern::mail
