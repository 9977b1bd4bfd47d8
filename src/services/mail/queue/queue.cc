// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/queue/queue.h"

#include <algorithm>

#include "base/assert.h"

namespace postern::mail {

Result<std::unique_ptr<Queue>> Queue::open(Options options) {
  auto file = QueueFile::open(options.folder);
  if (!file) return file.error();
  auto loaded = (*file)->load();
  if (!loaded) return loaded.error();
  auto queue = std::unique_ptr<Queue>(new Queue(std::move(options)));
  queue->next_number_ = loaded->next_number;
  queue->epoch_ = std::move(loaded->epoch);
  for (QueuedMessage& message : loaded->messages) {
    const uint64_t number = message.number;
    queue->counters_.octets += message.octets;
    queue->messages_[number].message = std::move(message);
  }
  Queue& self = *queue;
  queue->writer_ = std::make_unique<QueueWriter>(std::move(*file), queue->options_.post,
                                                 [&self](const std::string& line) {
                                                   self.counters_.is_failing = !line.empty();
                                                   self.options_.on_trouble(line);
                                                 });
  return queue;
}

Queue::~Queue() {
  POSTERN_ASSERT(begun_ == 0);
}

QueueCounters Queue::counters() const {
  QueueCounters now = counters_;
  now.messages = messages_.size();
  now.octets += incoming_octets_;
  now.commits = writer_->commits();
  return now;
}

std::unique_ptr<Incoming> Queue::begin(uint64_t octets) {
  const QueueLimits& limits = options_.limits;
  const bool has_room = messages_.size() + incoming_ < limits.messages &&
                        counters_.octets + incoming_octets_ < limits.octets &&
                        octets <= limits.octets - counters_.octets - incoming_octets_;
  if (!has_room || octets > limits.message_octets) {
    ++counters_.refused;
    return nullptr;
  }
  ++incoming_;
  ++begun_;
  return std::unique_ptr<Incoming>(new Incoming(*this, next_number_++));
}

std::unique_ptr<Incoming> Queue::begin_own() {
  ++incoming_;
  ++begun_;
  auto incoming = std::unique_ptr<Incoming>(new Incoming(*this, next_number_++));
  incoming->is_own_ = true;
  return incoming;
}

Queue::Held* Queue::held(uint64_t number) {
  const auto at = messages_.find(number);
  return at == messages_.end() ? nullptr : &at->second;
}

const QueuedMessage* Queue::find(uint64_t number) const {
  const auto at = messages_.find(number);
  return at == messages_.end() ? nullptr : &at->second.message;
}

void Queue::each(const std::function<bool(const QueuedMessage&)>& visit) const {
  for (const auto& [number, held] : messages_) {
    if (!visit(held.message)) return;
  }
}

void Queue::commit(Incoming& incoming, Envelope envelope, int64_t arrived_s,
                   const CommitThen& then) {
  const auto fresh = std::make_shared<Held>();
  fresh->message.number = incoming.number_;
  POSTERN_ASSERT(incoming.expanded_ <= envelope.recipients.size());
  std::vector<Progress>& progress = fresh->message.progress;
  progress.resize(envelope.recipients.size());
  for (size_t i = progress.size() - incoming.expanded_; i < progress.size(); ++i) {
    progress[i].state = RecipientState::expanded;
    progress[i].is_owed = true;
  }
  fresh->message.envelope = std::move(envelope);
  fresh->message.arrived_s = arrived_s;
  fresh->message.octets = incoming.octets_;
  fresh->message.is_unscanned = incoming.is_unscanned_;
  fresh->message.front = std::move(incoming.front_);
  if (!incoming.is_long_)
    fresh->text = std::make_shared<const std::string>(std::move(incoming.text_));
  writer_->add({QueueJob::Put{fresh->message, fresh->text},
                [this, fresh, then](const Result<void>& done) { committed(fresh, done, then); }});
}

void Queue::committed(const std::shared_ptr<Held>& fresh, const Result<void>& done,
                      const CommitThen& then) {
  const uint64_t number = fresh->message.number;
  --incoming_;
  incoming_octets_ -= fresh->message.octets;
  wake_writers();
  if (!done) {
    ++counters_.refused;
    return then(done.error());
  }
  ++counters_.accepted;
  counters_.octets += fresh->message.octets;
  remember(messages_[number] = std::move(*fresh));
  then(number);
}

// What comes in goes out soon, mostly: then nobody asks the disk for it.
void Queue::remember(Held& held) {
  if (!held.text) return;
  held.recent = recent_.insert(recent_.end(), held.message.number);
  recent_octets_ += held.text->size();
  while (recent_octets_ > kRecentMax) {
    Held& oldest = *this->held(recent_.front());
    recent_.pop_front();
    recent_octets_ -= oldest.text->size();
    oldest.text.reset();
  }
}

void Queue::abandoned(const Incoming& incoming) {
  --begun_;
  waiting_.remove_if([&incoming](const auto& one) { return one.first == &incoming; });
  if (incoming.is_committed_) return;
  --incoming_;
  incoming_octets_ -= incoming.octets_;
  if (incoming.is_long_) writer_->add({QueueJob::Drop{incoming.number_}, {}});
}

void Queue::change(uint64_t number, Changes changes, Done then) {
  Held* at = held(number);
  if (at == nullptr) return;
  for (auto& [place, progress] : changes) {
    POSTERN_ASSERT(place < at->message.progress.size());
    if (progress.said.size() > kSaidMax) progress.said.resize(kSaidMax);
    at->message.progress[place] = progress;
  }
  writer_->add({QueueJob::Change{number, std::move(changes)}, std::move(then)});
}

void Queue::hold(uint64_t number, HeldBy held_by, Done then) {
  Held* at = held(number);
  if (at == nullptr) return;
  at->message.held_by = held_by;
  writer_->add({QueueJob::Hold{number, held_by}, std::move(then)});
}

void Queue::scanned(uint64_t number, std::string front, HeldBy held_by, Done then) {
  Held* at = held(number);
  if (at == nullptr) return;
  at->message.is_unscanned = false;
  at->message.held_by = held_by;
  at->message.front = front;
  writer_->add({QueueJob::Scanned{number, std::move(front), held_by}, std::move(then)});
}

void Queue::replace(uint64_t number, std::vector<Recipient> recipients,
                    std::vector<Progress> progress, Done then) {
  POSTERN_ASSERT(recipients.size() == progress.size());
  Held* at = held(number);
  if (at == nullptr) return;
  at->message.envelope.recipients = std::move(recipients);
  at->message.progress = std::move(progress);
  writer_->add({QueueJob::Replace{at->message}, std::move(then)});
}

void Queue::remove(uint64_t number, Done then) {
  const auto at = messages_.find(number);
  if (at == messages_.end()) return;
  const QueuedMessage& message = at->second.message;
  ++counters_.removed;
  counters_.octets -= message.octets;
  if (at->second.text) {
    recent_octets_ -= at->second.text->size();
    recent_.erase(at->second.recent);
  }
  writer_->add({QueueJob::Remove{number, message.octets > kInlineMax}, std::move(then)});
  messages_.erase(at);
}

void Queue::read(uint64_t number, const BodyThen& then) {
  const Held* at = held(number);
  if (at == nullptr)
    return then(Error{ErrorCode::not_found, "message " + to_queue_id(number) + " is gone"});
  if (at->text) return then(std::make_shared<const Body>(at->text));
  if (at->message.octets > kInlineMax) return then(Body::open(writer_->path_of(number)));
  const auto text = std::make_shared<std::string>();
  const uint64_t octets = at->message.octets;
  writer_->add({QueueJob::Read{number, text}, [text, octets, number, then](const Result<void>&) {
                  if (text->size() == octets) return then(std::make_shared<const Body>(text));
                  then(Error{ErrorCode::failed,
                             "message " + to_queue_id(number) + " cannot be read, or is gone"});
                }});
}

void Queue::wake_writers() {
  if (waiting_.empty() || is_behind()) return;
  auto all = std::exchange(waiting_, {});
  for (auto& [incoming, then] : all)
    then();
}

Incoming::~Incoming() {
  queue_.abandoned(*this);
}

bool Incoming::append(std::string_view text) {
  const QueueLimits& limits = queue_.options_.limits;
  const uint64_t all = queue_.counters_.octets + queue_.incoming_octets_;
  const bool is_beyond =
      octets_ + text.size() > limits.message_octets || all + text.size() > limits.octets;
  if (is_beyond && !is_own_) is_too_large_ = true;
  if (is_too_large_) return false;
  octets_ += text.size();
  queue_.incoming_octets_ += text.size();
  text_ += text;
  if (octets_ > kInlineMax && text_.size() >= kInlineMax) write_out();
  return true;
}

void Incoming::write_out() {
  is_long_ = true;
  Queue* queue = &queue_;
  queue_.writer_->add({QueueJob::Text{number_, std::exchange(text_, {})},
                       [queue](const Result<void>&) { queue->wake_writers(); }});
}

bool Incoming::is_behind() const {
  return queue_.is_behind();
}

void Incoming::when_caught_up(std::function<void()> then) {
  queue_.waiting_.emplace_back(this, std::move(then));
}

void Incoming::commit(Envelope envelope, int64_t arrived_s, const Queue::CommitThen& then) {
  if (is_too_large_) {
    ++queue_.counters_.refused;
    return then(Error{ErrorCode::exhausted, "the message is too large, or the queue is full"});
  }
  if (octets_ > kInlineMax && !text_.empty()) write_out();
  is_committed_ = true;
  queue_.commit(*this, std::move(envelope), arrived_s, then);
}

}  // namespace postern::mail
