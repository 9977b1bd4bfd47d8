// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/transfer.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

namespace postern::http {

Transfer::Transfer(Core& core, TransferOrder order, Leader* leader)
    : core_(core),
      order_(std::move(order)),
      leader_(leader),
      fetch_(make_fetch(core, *this, order_.question.scheme)) {}

Transfer::~Transfer() = default;

void Transfer::start() {
  started_ = core_.clock.now;
  started_s_ = core_.clock.wall_s;
  fetch_->start(order_.question);
}

void Transfer::resume() {
  leader_is_full_ = false;
  if (!store_is_full_) fetch_->resume();
}

// Whether anybody wants what is still to come.
bool Transfer::has_purpose() const {
  if (leader_ != nullptr || !waiters_.empty()) return true;
  if (!is_storing()) return false;
  if (order_.is_for_store) return true;
  if (writer_->readers() > 0) return true;
  return core_.settings.finishes_aborted &&
         alone_bytes_ <= core_.settings.limits.finish_aborted_bytes;
}

void Transfer::leave() {
  leader_ = nullptr;
  if (is_finished_) return;
  if (!has_purpose()) return finish(false);
  if (leader_is_full_) resume();
}

void Transfer::reconsider() {
  if (!leader_is_full_ || leader_ == nullptr || !is_storing() || writer_->readers() == 0) return;
  if (!leader_->on_detach()) return;
  leader_ = nullptr;
  resume();
}

bool Transfer::add_waiter(Waiter& waiter) {
  if (waiters_.size() >= kWaitersMax) return false;
  waiters_.push_back(&waiter);
  return true;
}

void Transfer::remove_waiter(const Waiter& waiter) {
  std::erase(waiters_, &waiter);
}

void Transfer::wake_waiters() {
  core_.transfers->forget_pending(order_.pending_key, *this);
  // Each of them may begin a transfer, or leave.
  while (!waiters_.empty()) {
    Waiter* waiter = waiters_.front();
    waiters_.erase(waiters_.begin());
    waiter->on_transfer_known();
  }
}

void Transfer::on_interim(const ResponseHead& head) {
  if (leader_ != nullptr) leader_->on_interim(head);
}

void Transfer::on_head(const ResponseHead& head, const Framing& framing) {
  wait_ = core_.clock.now - started_;
  if (head.status == 304 && !order_.condition.empty() && take_not_modified(head)) return;
  if (leader_ != nullptr && head.status >= 500 && leader_->prefers_stored(head.status)) {
    leader_ = nullptr;
    wake_waiters();
    return finish(false);
  }
  invalidate(head);
  take_head_answer(head);
  begin_storing(head, framing);
  if (!is_storing() && !order_.pending_key.empty())
    core_.transfers->remember_loner(order_.pending_key);
  if (leader_ != nullptr) leader_->on_response(head, framing);
  if (is_finished_) return;
  wake_waiters();
  if (!has_purpose()) finish(false);
}

void Transfer::on_failure(Problem problem, const std::string& detail) {
  Leader* leader = std::exchange(leader_, nullptr);
  if (leader != nullptr) leader->on_failure(problem, detail);
  wake_waiters();
  finish(false);
}

void Transfer::on_upload_room() {
  if (leader_ != nullptr) leader_->on_upload_room();
}

void Transfer::on_upgrade(const ResponseHead& head, std::unique_ptr<UpstreamConnection> connection,
                          const std::string& early) {
  wait_ = core_.clock.now - started_;
  if (Leader* leader = std::exchange(leader_, nullptr)) {
    leader->on_upgrade(head, std::move(connection), early);
  } else {
    core_.poller.bury(std::move(connection));
  }
  finish(false);
}

void Transfer::store_data(std::string_view data) {
  // Too large, as is only clear now: what others read along is stored all the same.
  const uint64_t size = writer_->appended() + data.size();
  if (size > static_cast<uint64_t>(order_.keep.object_octets_max) && writer_->readers() == 0) {
    writer_->abandon();
    writer_.reset();
    return;
  }
  const auto* octets = reinterpret_cast<const uint8_t*>(data.data());
  const Append append = writer_->append(std::span<const uint8_t>(octets, data.size()));
  if (append == Append::refused) {
    writer_.reset();
    ++core_.counters.store_failures;
  }
  if (append != Append::full || store_is_full_ || has_waited_for_disk_) return;
  // The disk is behind: it gets a little time, then the response goes on without it if need be.
  store_is_full_ = true;
  core_.wheel.set(*this, kDiskPatienceS);
  writer_->when_drained([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) go_on();
  });
}

void Transfer::on_time_out() {
  has_waited_for_disk_ = true;
  go_on();
}

void Transfer::go_on() {
  store_is_full_ = false;
  Wheel::cancel(*this);
  if (!leader_is_full_) fetch_->resume();
}

bool Transfer::on_data(std::string_view data) {
  if (is_storing()) store_data(data);
  if (leader_ != nullptr && !leader_->on_body(data) && leader_ != nullptr) {
    if (is_storing() && writer_->readers() > 0 && leader_->on_detach()) {
      leader_ = nullptr;
    } else {
      leader_is_full_ = true;
    }
  }
  if (is_finished_) return false;
  if (leader_ == nullptr) {
    leader_is_full_ = false;
    if (writer_ && writer_->readers() == 0) alone_bytes_ += data.size();
    if (!has_purpose()) {
      finish(false);
      return false;
    }
  }
  return !leader_is_full_ && !store_is_full_;
}

void Transfer::on_pause() {
  if (leader_ != nullptr) leader_->on_body_pause();
}

void Transfer::on_end(bool is_complete) {
  finish(is_complete);
}

void Transfer::finish(bool is_complete) {
  if (is_finished_) return;
  is_finished_ = true;
  alive_.reset();
  if (writer_ && !writer_->is_over()) {
    if (is_complete) {
      ++core_.counters.stored;
      writer_->commit();
    } else {
      writer_->abandon(keeps_part_);
    }
  }
  writer_.reset();
  core_.transfers->forget_filling(order_.request->key.text, *this);
  Leader* leader = std::exchange(leader_, nullptr);
  if (leader != nullptr) leader->on_body_end(is_complete, fetch_->trailer());
  wake_waiters();
  fetch_->stop();
  core_.transfers->remove(*this);
}

Transfer& TransferTable::add(TransferOrder order, Transfer::Leader* leader) {
  const std::string key = order.pending_key;
  auto made = std::make_unique<Transfer>(core_, std::move(order), leader);
  Transfer& transfer = *made;
  transfers_.emplace(&transfer, std::move(made));
  if (!key.empty()) pending_.emplace(key, &transfer);
  return transfer;
}

Transfer* TransferTable::find_pending(std::string_view key) const {
  const auto found = pending_.find(std::string(key));
  return found == pending_.end() ? nullptr : found->second;
}

void TransferTable::forget_pending(const std::string& key, const Transfer& transfer) {
  const auto found = pending_.find(key);
  if (found != pending_.end() && found->second == &transfer) pending_.erase(found);
}

void TransferTable::forget_filling(const std::string& key, const Transfer& transfer) {
  const auto [from, to] = filling_.equal_range(key);
  const auto found =
      std::find_if(from, to, [&transfer](const auto& known) { return known.second == &transfer; });
  if (found != to) filling_.erase(found);
}

void TransferTable::note_reader(const std::string& key) {
  const auto [from, to] = filling_.equal_range(key);
  std::vector<Transfer*> known;
  known.reserve(static_cast<size_t>(std::distance(from, to)));
  for (auto each = from; each != to; ++each)
    known.push_back(each->second);
  // A transfer may end in this; it stays until the turn is over.
  for (Transfer* transfer : known)
    transfer->reconsider();
}

void TransferTable::remember_loner(std::string_view key) {
  const size_t hash = std::hash<std::string_view>()(key);
  loners_[hash % kLonersMax] = Loner{hash, core_.clock.wall_s + kLonerS};
}

bool TransferTable::is_loner(std::string_view key) const {
  const size_t hash = std::hash<std::string_view>()(key);
  const Loner& loner = loners_[hash % kLonersMax];
  return loner.hash == hash && core_.clock.wall_s < loner.until_s;
}

void TransferTable::remove(Transfer& transfer) {
  const auto found = transfers_.find(&transfer);
  if (found == transfers_.end()) return;
  core_.poller.bury(std::move(found->second));
  transfers_.erase(found);
}

void TransferTable::clear() {
  pending_.clear();
  filling_.clear();
  transfers_.clear();
}

}  // namespace postern::http
