// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/head_writer.h"

#include <algorithm>

#include "base/assert.h"
#include "services/http/store/engine.h"

namespace postern::http {
namespace {

std::vector<uint8_t> encode_tail(const HeadWrite& write) {
  std::vector<uint8_t> tail;
  const size_t runs = write.runs.size() * sizeof(Run);
  tail.reserve(write.primary.size() + write.variant.size() + write.metadata.size() + runs);
  for (const std::string* text : {&write.primary, &write.variant, &write.metadata})
    tail.insert(tail.end(), text->begin(), text->end());
  const auto* octets = reinterpret_cast<const uint8_t*>(write.runs.data());
  tail.insert(tail.end(), octets, octets + runs);
  return tail;
}

RecordHeader header_of(const HeadWrite& write) {
  RecordHeader header;
  header.kind = RecordKind::object;
  header.tag = write.tags.tag;
  header.variant_tag = write.tags.variant_tag;
  header.body_octets = static_cast<uint32_t>(write.body.size());
  header.runs = static_cast<uint32_t>(write.runs.size());
  header.primary_octets = static_cast<uint16_t>(write.primary.size());
  header.variant_octets = static_cast<uint16_t>(write.variant.size());
  header.metadata_octets = static_cast<uint32_t>(write.metadata.size());
  header.object_offset = write.body.empty() ? 0 : write.body_offset;
  header.object_length = write.length;
  header.validator = write.validator;
  return header;
}

}  // namespace

void StoreHeadWriter::add(const std::shared_ptr<HeadWrite>& write) {
  Queue& queue = queues_[slot_of(write->tags)];
  queue.push_back(write);
  if (queue.size() == 1) start(write);
}

void StoreHeadWriter::start(const std::shared_ptr<HeadWrite>& write) {
  using Kind = HeadWrite::Kind;
  if (write->kind == Kind::replacement) return send(write);
  if (write->kind == Kind::move) {
    // It may hold itself, and end before it returns.
    const std::function<void()> begin = std::exchange(write->begin, {});
    return begin();
  }
  const IndexEntry* entry = engine_.index.find(write->tags.tag, write->tags.variant_tag);
  if (entry == nullptr) return build_on(write, std::nullopt);
  engine_.load(engine_.at(*entry), false,
               [this, write](std::optional<Head> head) { build_on(write, std::move(head)); });
}

void StoreHeadWriter::build_on(const std::shared_ptr<HeadWrite>& write, std::optional<Head> head) {
  const bool is_same =
      head && head->tail.primary == write->primary && head->tail.variant == write->variant;
  if (write->kind == HeadWrite::Kind::update) {
    // Of another body they would say what is wrong: which encoding it has, which entity tag.
    if (!is_same || head->tail.metadata != write->replaces) return finish(write, false);
    write->length = head->header.object_length;
    write->validator = head->header.validator;
    write->runs = current_runs(*head, engine_.log);
  } else if (is_same && head->header.object_length == write->length &&
             head->header.validator == write->validator) {
    write->runs = current_runs(*head, engine_.log);
  } else {
    return send(write);
  }
  write->expected = head->place;
  send(write);
}

// What is carried on does not wait for room, and goes before what does.
void StoreHeadWriter::send(const std::shared_ptr<HeadWrite>& write) {
  if (write->kind != HeadWrite::Kind::move)
    return engine_.enqueue([this, write] { return place(write); });
  if (!place(write)) finish(write, false);
}

// Whether what it builds on is no longer what is there.
bool StoreHeadWriter::is_void(const HeadWrite& write) const {
  if (write.is_cancelled) return true;
  if (write.expected.is_none()) return false;
  const IndexEntry* entry = engine_.index.find(write.tags.tag, write.tags.variant_tag);
  return entry == nullptr || entry->place != write.expected;
}

bool StoreHeadWriter::place(const std::shared_ptr<HeadWrite>& write) {
  const bool is_refused = engine_.is_failing() || is_void(*write) ||
                          (!write->is_prepared && write->prepare && !write->prepare(*write));
  if (is_refused) {
    finish(write, false);
    return true;
  }
  if (!write->is_prepared) tidy(write->runs);
  write->is_prepared = true;

  WriteJob job;
  job.is_record = true;
  job.header = header_of(*write);
  const std::string keys = write->primary + write->variant;
  if (!engine_.log.fits(job.header.octets(), keys.size())) {
    ++engine_.counters.refused;
    finish(write, false);
    return true;
  }
  const auto what = write->kind == HeadWrite::Kind::move ? Log::For::move : Log::For::fill;
  if (!engine_.log.place(job.header, keys, what)) return false;
  job.tail = encode_tail(*write);
  job.chunk = write->chunk;
  job.body = write->body;
  // A whole object is found before it is written; of parts only what is known to the index.
  job.is_awaited = write->kind != HeadWrite::Kind::replacement;
  const Geometry& geometry = engine_.geometry();
  const uint32_t segment = geometry.segment_of(job.header.file_offset);
  const Place place(segment,
                    static_cast<uint32_t>(job.header.file_offset - geometry.start_of(segment)),
                    static_cast<uint32_t>(job.header.octets()));
  job.done = [this, write, place, sequence = job.header.sequence](bool is_written) {
    written(write, {write->tags, place, sequence}, is_written);
  };
  engine_.write(std::move(job));
  return true;
}

void StoreHeadWriter::written(const std::shared_ptr<HeadWrite>& write, const HeadAt& at,
                              bool is_written) {
  const bool is_there = engine_.log.segment(at.place.segment()).sequence == at.sequence;
  if (!is_written || !is_there || is_void(*write)) return finish(write, false);
  const IndexEntry* known = engine_.index.find(at.tags.tag, at.tags.variant_tag);
  const bool is_same_object = known != nullptr && !write->expected.is_none();
  IndexEntry entry;
  entry.tag = at.tags.tag;
  entry.variant_tag = at.tags.variant_tag;
  entry.asked_in = is_same_object ? known->asked_in : 0;
  entry.place = at.place;
  finish(write, engine_.add(entry));
}

void StoreHeadWriter::finish(const std::shared_ptr<HeadWrite>& write, bool is_stored) {
  const auto found = queues_.find(slot_of(write->tags));
  POSTERN_ASSERT(found != queues_.end());
  Queue& queue = found->second;
  POSTERN_ASSERT(queue.front() == write);
  if (queue.size() == 1) {
    queues_.erase(found);
  } else {
    // Later, as the one before may still be on the stack.
    queue.pop_front();
    engine_.io.later([this, next = queue.front()] { start(next); });
  }
  engine_.queued_octets -= std::exchange(write->counted, 0);
  // `write` may belong to one of these.
  const auto begin = std::exchange(write->begin, {});
  const auto prepare = std::exchange(write->prepare, {});
  if (const auto done = std::exchange(write->done, {})) done(is_stored);
}

const std::string* StoreHeadWriter::newer_metadata(const StoreKey& key, const KeyTags& tags,
                                                   std::string_view known) const {
  const auto found = queues_.find(slot_of(tags));
  if (found == queues_.end()) return nullptr;
  const std::string* newer = nullptr;
  for (const std::shared_ptr<HeadWrite>& write : found->second) {
    if (write->kind == HeadWrite::Kind::replacement) newer = nullptr;
    if (write->kind != HeadWrite::Kind::update || write->is_cancelled) continue;
    const bool is_of_key = write->primary == key.primary && write->variant == key.variant;
    if (is_of_key && write->replaces == (newer != nullptr ? std::string_view(*newer) : known))
      newer = &write->metadata;
  }
  return newer;
}

void StoreHeadWriter::cancel(uint64_t tag) {
  for (auto& [slot, queue] : queues_)
    for (const std::shared_ptr<HeadWrite>& write : queue)
      if (write->tags.tag == tag) write->is_cancelled = true;
}

void StoreHeadWriter::cancel_all() {
  for (auto& [slot, queue] : queues_)
    for (const std::shared_ptr<HeadWrite>& write : queue)
      write->is_cancelled = true;
}

// What has a turn holds itself; it lets go here.
void StoreHeadWriter::drop_all() {
  std::unordered_map<uint64_t, Queue> queues;
  queues.swap(queues_);
  for (auto& [slot, queue] : queues) {
    for (const std::shared_ptr<HeadWrite>& write : queue) {
      write->begin = {};
      write->prepare = {};
      write->done = {};
    }
  }
}

}  // namespace postern::http
