// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/delivery/local_delivery.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "services/mail/message/address.h"
#include "services/mail/message/received.h"

namespace postern::mail {
namespace {

constexpr size_t kDropsPerTurn = 200;  // messages that are gone meanwhile

std::unordered_set<uint64_t> numbers_of(const Queue& queue) {
  std::unordered_set<uint64_t> numbers;
  queue.each([&numbers](const QueuedMessage& message) {
    numbers.insert(message.number);
    return true;
  });
  return numbers;
}

// RFC 5321 section 4.4: Return-Path comes first.
std::string front_of(const QueuedMessage& message, const Recipient& recipient) {
  return return_path_field(message.envelope.sender) +
         "Delivered-To: " + to_text(recipient.address) + "\r\n" + message.front;
}

// The epoch, as the numbers of a queue that was begun anew are those of others; the time, as those
// behind a backup in its place are.
std::string delivery_id(const QueuedMessage& message, size_t place, const std::string& epoch) {
  return to_queue_id(message.number) + "-" + std::to_string(place) + "-" + epoch +
         to_queue_id(static_cast<uint64_t>(std::max<int64_t>(message.arrived_s, 0)));
}

// What a thread has to know.
struct Work {
  Delivery delivery;
  uint64_t number = 0;
  std::string user, folder;
  std::shared_ptr<const Body> text;
};

Result<Maildir::Written> write_now(const Mailboxes& mailboxes, EarlierDeliveries& earlier,
                                   Work& work) {
  auto mailbox = mailboxes.mailbox(work.user, work.folder);
  if (!mailbox) return mailbox.error();
  if (work.delivery.is_first && earlier.may_have(work.number)) {
    const auto has = earlier.has(*mailbox, work.delivery.id);
    if (!has) return has.error();
    work.delivery.is_first = !*has;
  }
  return mailbox->write(work.delivery, *work.text);
}

}  // namespace

LocalDelivery::LocalDelivery(boost::asio::io_context& context, Queue& queue,
                             const Mailboxes& mailboxes, const Seams& seams, Done done)
    : context_(context),
      queue_(queue),
      mailboxes_(mailboxes),
      seams_(seams),
      done_(std::move(done)),
      earlier_(std::make_shared<EarlierDeliveries>(numbers_of(queue))),
      placer_(context, {"mail-place", 1, 1}),
      writers_(context, {"mail-local", kThreads, kAtOnce}) {}

LocalDelivery::~LocalDelivery() {
  *alive_ = false;
}

void LocalDelivery::add(const Key& key) {
  waiting_.push_back(key);
  pump_later();
}

void LocalDelivery::forget(uint64_t number) {
  failed_.erase(failed_.lower_bound({number, 0}), failed_.lower_bound({number + 1, 0}));
}

void LocalDelivery::pump_later() {
  if (is_pump_posted_ || waiting_.empty() || running_ >= kAtOnce) return;
  is_pump_posted_ = true;
  boost::asio::post(context_, [this, alive = alive_] {
    if (!*alive) return;
    is_pump_posted_ = false;
    pump();
  });
}

void LocalDelivery::pump() {
  for (size_t i = 0; i < kDropsPerTurn && !waiting_.empty() && running_ < kAtOnce; ++i) {
    const Key key = waiting_.front();
    waiting_.pop_front();
    ++running_;
    begin(key);
  }
  pump_later();
}

void LocalDelivery::begin(const Key& key) {
  const QueuedMessage* message = queue_.find(key.number);
  if (message == nullptr || message->is_held()) return end(key, nullptr);
  if (last_number_ == key.number) {
    if (auto text = last_text_.lock()) return deliver(key, text);
  }
  queue_.read(key.number, [this, alive = alive_, key](Result<std::shared_ptr<const Body>> text) {
    if (!*alive) return;
    if (!text) {
      const bool is_gone = queue_.find(key.number) == nullptr;
      const Result<void> fault = text.error();
      return end(key, is_gone ? nullptr : &fault);
    }
    last_number_ = key.number;
    last_text_ = *text;
    deliver(key, *text);
  });
}

void LocalDelivery::deliver(const Key& key, const std::shared_ptr<const Body>& text) {
  const QueuedMessage* message = queue_.find(key.number);
  if (message == nullptr || message->is_held()) return end(key, nullptr);
  const Recipient& recipient = message->envelope.recipients[key.place];
  const auto work = std::make_shared<Work>();
  work->delivery.id = delivery_id(*message, key.place, queue_.epoch());
  work->delivery.now_s = seams_.wall_s();
  work->delivery.front = front_of(*message, recipient);
  work->delivery.is_first = failed_.count(key) == 0;
  work->number = key.number;
  work->user = recipient.user;
  work->folder = recipient.folder;
  work->text = text;
  const auto done = std::make_shared<Result<Maildir::Written>>(Maildir::Written());
  writers_.run_surely(
      [this, earlier = earlier_, work, done] { *done = write_now(mailboxes_, *earlier, *work); },
      [this, key, done] { written(key, *done); });
}

void LocalDelivery::written(const Key& key, const Result<Maildir::Written>& done) {
  if (!done) {
    const Result<void> fault = done.error();
    return end(key, &fault);
  }
  written_.emplace_back(key, *done);
  place();
}

// What is written while others are placed is placed next.
void LocalDelivery::place() {
  if (is_placing_ || written_.empty()) return;
  is_placing_ = true;
  struct Batch {
    std::vector<Key> keys;
    std::vector<Maildir::Written> all;
    std::vector<Result<void>> done;
  };
  const auto batch = std::make_shared<Batch>();
  batch->keys.reserve(written_.size());
  batch->all.reserve(written_.size());
  for (auto& [key, one] : written_) {
    batch->keys.push_back(key);
    batch->all.push_back(std::move(one));
  }
  written_.clear();
  placer_.run_surely([batch] { batch->done = Maildir::place(batch->all); },
                     [this, batch] {
                       is_placing_ = false;
                       place();
                       for (size_t i = 0; i < batch->keys.size(); ++i)
                         end(batch->keys[i], &batch->done[i]);
                     });
}

void LocalDelivery::end(const Key& key, const Result<void>* done) {
  --running_;
  if (done != nullptr && !*done) {
    failed_.insert(key);
  } else {
    failed_.erase(key);
  }
  done_(key, done);
  pump_later();
}

}  // namespace postern::mail
