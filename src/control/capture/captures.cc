// SPDX-License-Identifier: BSD-3-Clause
#include "control/capture/captures.h"

#include <algorithm>

namespace postern {
namespace {

constexpr Duration kTurn = milliseconds(20);

Captures::Totals totals_of(const Capture& capture) {
  Captures::Totals totals;
  for (const auto& ring : capture.rings) {
    for (size_t i = 0; i < totals.matched.size(); ++i) {
      totals.matched[i] += ring->matched()[i].read();
      totals.lost[i] += ring->lost()[i].read();
    }
  }
  return totals;
}

uint64_t sum_of(const std::array<uint64_t, kGateway + 1>& counts) {
  uint64_t sum = 0;
  for (uint64_t count : counts)
    sum += count;
  return sum;
}

}  // namespace

Result<Captures::Id> Captures::start(Wanted wanted) {
  std::vector<uint32_t> holders;
  for (const auto& running : running_)
    holders.push_back(running->wanted.uid);
  if (!kPlaces.has_place(wanted.uid, holders)) {
    bool is_full = running_.size() >= kPlaces.all;
    return Error{ErrorCode::exhausted,
                 (is_full ? std::to_string(kPlaces.all) + " captures run already"
                          : "a user but root has " + std::to_string(kPlaces.each) +
                                " captures at once, all "
                                "together " +
                                std::to_string(kPlaces.others)) +
                     "; see `postern show captures`"};
  }
  auto running = std::make_unique<Running>();
  running->id = ++last_id_;
  running->capture.what = wanted.what;
  running->capture.follows = wanted.follows;
  running->capture.snap_length = wanted.snap_length;
  for (unsigned i = 0; i < world_.workers(); ++i)
    running->capture.rings.push_back(std::make_unique<CaptureRing>(kCaptureRingBytes));
  running->wanted = std::move(wanted);
  running->started = running->last_read = world_.now();
  running_.push_back(std::move(running));
  publish();
  if (!is_turning_) {
    is_turning_ = true;
    loop_.after(kTurn, [this] { turn(); });
  }
  return last_id_;
}

void Captures::publish() {
  auto set = std::make_unique<CaptureSet>();
  set->generation = ++generation_;
  for (const auto& running : running_) {
    if (running->gone_since == 0) set->captures[set->count++] = &running->capture;
  }
  world_.publish(set.get());
  sets_.push_back(std::move(set));
}

Captures::Running* Captures::find(Id id, uint32_t uid) {
  auto found = std::find_if(running_.begin(), running_.end(), [=](const auto& running) {
    return running->id == id && is_master_of(uid, running->wanted.uid);
  });
  return found != running_.end() ? found->get() : nullptr;
}

bool Captures::read(Id id, uint32_t uid, std::function<void(const Batch&)> answer) {
  Running* running = find(id, uid);
  if (running == nullptr || running->reader) return false;
  running->reader = std::move(answer);
  running->asked = running->last_read = world_.now();
  return true;
}

bool Captures::stop(Id id, uint32_t uid) {
  Running* running = find(id, uid);
  if (running == nullptr) return false;
  if (running->gone_since != 0) return true;
  running->gone_since = generation_ + 1;
  publish();
  return true;
}

// Runs as long as there is a capture, or a set that workers may still look at.
void Captures::turn() {
  for (size_t i = running_.size(); i-- > 0;) {
    if (look_after(*running_[i])) running_.erase(running_.begin() + static_cast<ptrdiff_t>(i));
  }
  if (world_.have_taken(generation_)) {
    while (sets_.size() > 1)
      sets_.pop_front();
  }
  is_turning_ = !running_.empty() || sets_.size() > 1;
  if (is_turning_) loop_.after(kTurn, [this] { turn(); });
}

bool Captures::look_after(Running& running) {
  const Instant now = world_.now();
  if (!running.reader && now - running.last_read > kUnreadMax) stop(running.id, running.wanted.uid);
  const bool is_gone = running.gone_since != 0 && world_.have_taken(running.gone_since);
  if (!running.reader) return is_gone && now - running.last_read > kUnreadMax;
  Batch batch;
  drain(running, batch);
  batch.has_ended = is_gone && batch.frames.empty();
  if (batch.frames.empty() && !batch.has_ended && now - running.asked < kReadWait) return false;
  batch.totals = totals_of(running.capture);
  running.last_read = now;
  auto reader = std::move(running.reader);
  running.reader = nullptr;
  reader(batch);
  return batch.has_ended;
}

void Captures::drain(Running& running, Batch& batch) {
  std::array<uint8_t, kSnapLengthMax> bytes;
  size_t size = 0;
  for (const auto& ring : running.capture.rings) {
    CaptureRecord record;
    while (batch.frames.size() < kBatchMax && size < kBatchBytesMax && ring->pop(record, bytes)) {
      batch.frames.push_back({record, {bytes.begin(), bytes.begin() + record.captured}});
      size += record.captured;
    }
  }
  std::stable_sort(batch.frames.begin(), batch.frames.end(),
                   [](const Seen& a, const Seen& b) { return a.record.at < b.record.at; });
}

std::vector<Captures::Row> Captures::list() const {
  std::vector<Row> rows;
  for (const auto& running : running_) {
    const Totals totals = totals_of(running->capture);
    rows.push_back({running->id, running->wanted.who, running->wanted.words, running->started,
                    sum_of(totals.matched), sum_of(totals.lost)});
  }
  return rows;
}

}  // namespace postern
