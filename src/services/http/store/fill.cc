// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/fill.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "services/http/store/engine.h"

namespace postern::http {
namespace {

// Of an object that is longer than that, chunks go out by fours: so the runs of one that comes
// beside many others have 256 KiB and not 64.
constexpr uint64_t kLargeFrom = uint64_t{1} << 20;
constexpr size_t kLargeBatch = 4;

void call_all(Engine& engine, std::vector<std::function<void()>>& tasks) {
  if (tasks.empty()) return;
  engine.io.later([tasks = std::exchange(tasks, {})] {
    for (const std::function<void()>& task : tasks)
      task();
  });
}

}  // namespace

Fill::Fill(Engine& engine, const StoreKey& key, std::string_view metadata,
           const FillOptions& options)
    : engine_(engine),
      primary_(key.primary),
      variant_(key.variant),
      tags_(engine.tags_of(key)),
      metadata_(metadata),
      options_(options),
      number_(++engine.begins),
      end_(options.offset) {
  counted_ = primary_.size() + variant_.size() + metadata_.size();
  engine_.queued_octets += counted_;
  ++engine_.users;
}

Fill::~Fill() {
  --engine_.users;
  release_queue(counted_);
  for (const uint32_t segment : pinned_)
    engine_.unpin(segment);
}

bool Fill::will_have(uint64_t offset) const {
  if (offset < options_.offset) return false;
  if (offset < end_) return true;
  if (state_ != State::open) return false;
  const std::optional<uint64_t> last =
      options_.expected_end ? options_.expected_end : options_.length;
  return !last || offset < *last;
}

Append Fill::append(std::span<const uint8_t> octets) {
  if (state_ != State::open) return Append::refused;
  const bool is_too_long = options_.length && octets.size() > *options_.length - end_;
  if (is_too_long || engine_.is_failing() || engine_.is_queue_full(octets.size())) {
    ++engine_.counters.refused;
    fail();
    return Append::refused;
  }
  engine_.queued_octets += octets.size();
  counted_ += octets.size();
  while (!octets.empty()) {
    if (chunks_.size() == flushed_ || chunks_.back()->used == chunks_.back()->capacity)
      begin_chunk();
    Chunk& chunk = *chunks_.back();
    const size_t part = std::min<size_t>(octets.size(), chunk.capacity - chunk.used);
    std::memcpy(chunk.octets.get() + chunk.used, octets.data(), part);
    chunk.used += static_cast<uint32_t>(part);
    end_ += part;
    octets = octets.subspan(part);
  }
  flush(false);
  wake();
  if (state_ != State::open) return Append::refused;
  return engine_.is_queue_half_full() ? Append::full : Append::taken;
}

void Fill::begin_chunk() {
  uint64_t capacity = engine_.geometry().chunk_octets;
  if (options_.length) capacity = std::min(capacity, *options_.length - end_);
  chunks_.push_back(std::make_shared<Chunk>(static_cast<uint32_t>(capacity), end_));
}

void Fill::flush(bool all) {
  const size_t open = chunks_.size() - flushed_;
  const size_t batch = end_ - options_.offset >= kLargeFrom ? kLargeBatch : 1;
  if (open <= 1 || (!all && open <= batch)) return;
  for (; flushed_ + 1 < chunks_.size() && state_ != State::failed; ++flushed_)
    engine_.enqueue([self = shared_from_this(), chunk = chunks_[flushed_]] {
      return self->write_chunk(chunk);
    });
}

bool Fill::write_chunk(const std::shared_ptr<Chunk>& chunk) {
  if (state_ == State::failed) return true;
  WriteJob job;
  job.is_record = true;
  job.header.kind = RecordKind::chunk;
  job.header.tag = tags_.tag;
  job.header.variant_tag = tags_.variant_tag;
  job.header.body_octets = chunk->used;
  job.header.object_offset = chunk->object_offset;
  if (!engine_.log.place(job.header, {}, Log::For::fill)) return false;
  const Run run{chunk->object_offset, job.header.file_offset, chunk->used, job.header.sequence};
  add_run(placed_, run, engine_.geometry());
  const uint32_t segment = engine_.geometry().segment_of(run.file_offset);
  if (pinned_.empty() || pinned_.back() != segment) {
    engine_.pin(segment);
    pinned_.push_back(segment);
  }
  job.chunk = chunk;
  job.body = chunk->view();
  job.done = [self = shared_from_this(), chunk, run](bool is_written) {
    self->chunk_written(*chunk, run, is_written);
  };
  engine_.write(std::move(job));
  return true;
}

void Fill::chunk_written(const Chunk& chunk, const Run& run, bool is_written) {
  if (state_ == State::failed) return;
  if (!is_written) return fail();
  add_run(runs_, run, engine_.geometry());
  POSTERN_ASSERT(chunks_.front().get() == &chunk);
  chunks_.pop_front();
  --flushed_;
  release_queue(chunk.used);
  wake_drained();
}

void Fill::commit(const std::function<void(bool)>& stored) {
  if (state_ != State::open) {
    if (stored) engine_.io.later([stored] { stored(false); });
    return;
  }
  if (!options_.adds && options_.length && end_ != *options_.length) {
    fail();
    if (stored) engine_.io.later([stored] { stored(false); });
    return;
  }
  finish_up(stored);
}

void Fill::abandon(bool keeps_part) {
  if (state_ != State::open) return;
  if (!keeps_part || !options_.length || end_ == options_.offset) return fail();
  finish_up({});
}

void Fill::finish_up(const std::function<void(bool)>& stored) {
  state_ = State::committed;
  commit_number_ = ++engine_.commits;
  flush(true);
  write_head(stored);
  wake();
}

// Behind the chunks in the queue: when its turn comes they all have their places.
void Fill::write_head(const std::function<void(bool)>& stored) {
  auto head = std::make_shared<HeadWrite>();
  head->tags = tags_;
  head->primary = primary_;
  head->variant = variant_;
  head->metadata = metadata_;
  head->length = options_.length.value_or(end_);
  head->validator = options_.validator;
  head->kind = options_.adds ? HeadWrite::Kind::addition : HeadWrite::Kind::replacement;
  if (!chunks_.empty() && flushed_ < chunks_.size()) {
    head->chunk = chunks_.back();
    head->body = head->chunk->view();
    head->body_offset = head->chunk->object_offset;
  }
  head->prepare = [self = shared_from_this()](HeadWrite& write) {
    if (self->is_cancelled_ || self->state_ == State::failed) return false;
    write.runs.insert(write.runs.end(), self->placed_.begin(), self->placed_.end());
    return true;
  };
  head->done = [self = shared_from_this(), stored](bool is_stored) {
    if (self->state_ == State::committed) self->conclude(is_stored ? State::stored : State::failed);
    if (is_stored) ++self->engine_.counters.stored;
    if (stored) stored(is_stored);
  };
  engine_.heads.add(head);
}

void Fill::fail() {
  if (state_ == State::stored || state_ == State::failed) return;
  conclude(State::failed);
}

// The last chunk stays for those who still read.
void Fill::conclude(State state) {
  state_ = state;
  release_queue(counted_);
  const auto self = shared_from_this();
  engine_.forget(*this);
  wake();
  wake_drained();
}

void Fill::release_queue(uint64_t octets) {
  octets = std::min(octets, counted_);
  counted_ -= octets;
  engine_.queued_octets -= octets;
}

void Fill::when_drained(std::function<void()> drained) {
  draining_.push_back(std::move(drained));
  if (state_ != State::open || !engine_.is_queue_half_full()) wake_drained();
}

void Fill::wake() {
  call_all(engine_, waiting_);
}

void Fill::wake_drained() {
  if (state_ == State::open && engine_.is_queue_half_full()) return;
  call_all(engine_, draining_);
}

Fill::InMemory Fill::in_memory(uint64_t offset) const {
  if (chunks_.empty() || offset < chunks_.front()->object_offset) return {};
  const size_t number = (offset - chunks_.front()->object_offset) / engine_.geometry().chunk_octets;
  if (number >= chunks_.size()) return {};
  const std::shared_ptr<Chunk>& chunk = chunks_[number];
  const uint64_t skipped = offset - chunk->object_offset;
  if (skipped >= chunk->used) return {};
  return {chunk, chunk->view().subspan(skipped)};
}

}  // namespace postern::http
