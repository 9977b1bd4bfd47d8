// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/delivery/notifier.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/assert.h"
#include "services/io/hash.h"
#include "services/mail/routing/final_recipients.h"

namespace postern::mail {
namespace {

std::string random_word() {
  const io::HashSeed seed = io::random_seed();
  return fmt::format("{:016x}{:016x}", seed.first, seed.second);
}

// Who hears of it: perhaps somebody here, who may have rules.
Envelope envelope_to(const Address& sender, const Notification& made) {
  Envelope envelope;
  Recipient& recipient = envelope.recipients.emplace_back();
  recipient.address = sender;
  recipient.notify = kNotifyNever;
  envelope.is_8bit = made.is_8bit;
  envelope.is_utf8 = made.is_utf8;
  return envelope;
}

}  // namespace

Notifier::Notifier(boost::asio::io_context& context, Queue& queue, const Seams& seams, Added added)
    : context_(context),
      queue_(queue),
      seams_(seams),
      added_(std::move(added)),
      pool_(context, {"mail-notify", 1, kAtOnce}) {}

Notifier::~Notifier() {
  *alive_ = false;
}

void Notifier::tell(uint64_t number, std::vector<DsnRecipient> about, const Then& then) {
  const auto task = std::make_shared<Task>();
  task->number = number;
  task->about = std::move(about);
  task->then = then;
  waiting_.push_back(task);
  boost::asio::post(context_, [this, alive = alive_] {
    if (*alive) pump();
  });
}

void Notifier::pump() {
  while (!waiting_.empty() && running_ < kAtOnce) {
    const TaskPtr task = std::move(waiting_.front());
    waiting_.pop_front();
    ++running_;
    begin(task);
  }
}

void Notifier::begin(const TaskPtr& task) {
  POSTERN_ASSERT(settings_ != nullptr);
  const QueuedMessage* message = queue_.find(task->number);
  if (message == nullptr) return end(task, false);
  const Envelope& envelope = message->envelope;
  DsnFacts& facts = task->facts;
  facts.host = settings_->host;
  facts.to = envelope.sender;
  facts.envelope_id = envelope.id;
  facts.message_id = random_word() + "@" + settings_->host;
  facts.boundary = random_word();
  facts.arrival_s = message->arrived_s;
  facts.now_s = seams_.wall_s();
  facts.zone_min = seams_.zone_min();
  facts.returns = envelope.returns;
  facts.is_utf8 = envelope.is_utf8;
  facts.recipients = std::move(task->about);
  task->front = message->front;
  queue_.read(task->number, [this, alive = alive_, task](Result<std::shared_ptr<const Body>> text) {
    if (!*alive) return;
    // The sender is told, even where nothing of the message can come back.
    if (!text) return write(task, std::make_shared<const Body>(std::make_shared<std::string>()));
    write(task, *text);
  });
}

void Notifier::write(const TaskPtr& task, const std::shared_ptr<const Body>& text) {
  pool_.run_surely(
      [task, text] { task->made = write_notification(task->facts, task->front, *text); },
      [this, task] { commit(task); });
}

void Notifier::commit(const TaskPtr& task) {
  auto incoming = queue_.begin_own();
  incoming->append(task->made.text);
  Envelope envelope = envelope_to(task->facts.to, task->made);
  envelope.recipients = final_recipients(settings_->book, settings_->sorting,
                                         SortingFacts{envelope, task->made.fields})
                            .recipients;
  incoming->commit(std::move(envelope), seams_.wall_s(),
                   [this, alive = alive_, task](const Result<uint64_t>& done) {
                     if (!*alive) return;
                     if (done) added_(*done);
                     end(task, done.has_value());
                   });
}

void Notifier::end(const TaskPtr& task, bool is_told) {
  --running_;
  task->then(is_told);
  pump();
}

}  // namespace postern::mail
