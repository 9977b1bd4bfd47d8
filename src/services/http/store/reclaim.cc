// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/reclaim.h"

#include <algorithm>

#include "services/http/store/engine.h"

namespace postern::http {
namespace {

constexpr size_t kFreeWanted = 2;  // segments; the last one is for what is carried on
constexpr size_t kScanStep = 256;  // entries, before others get the thread: some 50 us
constexpr size_t kMovesMax = 16;
constexpr size_t kGroup = 8;  // chunks that are read and written together

bool read_chunk(File& file, const Geometry& geometry, const Run& at, Chunk& record) {
  record.used = record.capacity;
  const std::span<uint8_t> octets(record.octets.get(), record.capacity);
  if (file.read(octets, at.file_offset) < 0) return false;
  const auto header = parse_record_header(octets, geometry, at.file_offset, at.sequence);
  return header && header->object_offset == at.object_offset && header->body_octets == at.octets &&
         is_body_whole(octets, *header, geometry.salt);
}

}  // namespace

bool Reclaimer::is_index_full() const {
  return engine_.index.size() >= engine_.objects_max / 16 * 15;
}

bool Reclaimer::is_room_wanted() const {
  return engine_.log.free_count() < kFreeWanted || is_index_full();
}

void Reclaimer::kick() {
  if (is_running_ || engine_.is_failing() || !is_room_wanted()) return;
  const auto victim = engine_.log.victim();
  if (!victim) return;
  is_running_ = true;
  ++round_;
  victim_ = *victim;
  is_read_ = engine_.log.segment(victim_).pins > 0;
  sequence_ = engine_.log.segment(victim_).sequence;
  age_ = engine_.log.segment(victim_).age;
  engine_.log.begin_draining(victim_);
  has_chances_ = engine_.options.keep_percent > 0 && !is_index_full();
  budget_ = uint64_t{engine_.geometry().segment_octets} * engine_.options.keep_percent / 100;

  // Shared by the pool and its completion.
  auto result = std::make_shared<Summary>();
  auto work = [result, geometry = engine_.geometry(), victim = victim_](File& file) {
    if (auto summary = read_summary(file, geometry, victim, true)) *result = std::move(*summary);
  };
  engine_.io.read(std::move(work), [this, result, round = round_] {
    if (round != round_) return;
    summary_ = std::move(*result);
    if (summary_.sequence != sequence_) summary_ = Summary{};
    scan();
  });
}

void Reclaimer::abort() {
  ++round_;
  is_running_ = false;
  has_struck_ = false;
  hot_octets_ = 0;
  summary_ = Summary{};
  candidates_.clear();
  seen_.clear();
  next_entry_ = next_candidate_ = moves_ = 0;
}

void Reclaimer::scan() {
  const size_t end = std::min(next_entry_ + kScanStep, summary_.entries.size());
  for (; next_entry_ < end; ++next_entry_)
    look_at(summary_.entries[next_entry_]);
  if (next_entry_ == summary_.entries.size()) return decide();
  engine_.io.later([this, round = round_] {
    if (round == round_) scan();
  });
}

// Counts what was asked for since; a chunk, or a head whose body a newer head points to, belongs to
// the object that the index knows.
void Reclaimer::look_at(SummaryEntry& entry) {
  if (entry.kind == RecordKind::tombstone) return;
  const IndexEntry* known = engine_.index.find(entry.tag, entry.variant_tag);
  const Place here(victim_, entry.offset, entry.octets);
  const bool is_dead = known == nullptr || known->place != here;
  if (entry.kind == RecordKind::object && is_dead) {
    entry.kind = RecordKind::chunk;
    has_struck_ = true;
  }
  if (known == nullptr || !has_chances_ || known->asked_in <= age_) return;
  hot_octets_ += entry.octets;
  // To carry on a chunk means a new head as well.
  if (want({entry.tag, entry.variant_tag}) && known->place.segment() != victim_)
    hot_octets_ += known->place.octets();
}

// Notes an object that is to be carried on; false: it was noted before.
bool Reclaimer::want(const KeyTags& tags) {
  if (!seen_.insert(tags.tag ^ tags.variant_tag).second) return false;
  candidates_.push_back(tags);
  return true;
}

void Reclaimer::decide() {
  next_entry_ = 0;
  if (is_read_) return keep();
  if (hot_octets_ > budget_ && kept_in_row_ < engine_.geometry().segments / 2) {
    ++kept_in_row_;
    ++engine_.counters.segments_kept;
    return keep();
  }
  kept_in_row_ = 0;
  let_go();
}

void Reclaimer::keep() {
  std::vector<uint8_t> octets;
  if (has_struck_ || summary_.octets == 0) {
    SegmentFooter footer;
    footer.sequence = sequence_;
    footer.segment = victim_;
    footer.used = summary_.used;
    octets = encode_summary(summary_.entries, summary_.keys, footer, engine_.geometry().salt);
  }
  engine_.log.keep(victim_, std::move(octets));
  abort();
  engine_.go_on();
}

void Reclaimer::let_go() {
  const size_t end = std::min(next_entry_ + kScanStep, summary_.entries.size());
  for (; next_entry_ < end; ++next_entry_)
    let_go(summary_.entries[next_entry_]);
  if (next_entry_ == summary_.entries.size()) return pump();
  engine_.io.later([this, round = round_] {
    if (round == round_) let_go();
  });
}

void Reclaimer::let_go(const SummaryEntry& entry) {
  if (entry.kind == RecordKind::tombstone) return;
  const IndexEntry* known = engine_.index.find(entry.tag, entry.variant_tag);
  if (known == nullptr) return;
  if (has_chances_ && known->asked_in > age_) {
    want({entry.tag, entry.variant_tag});  // asked for since the scan
  } else if (known->place == Place(victim_, entry.offset, entry.octets)) {
    engine_.index.erase(entry.tag, entry.variant_tag);
    ++engine_.counters.evicted;
  }
}

void Reclaimer::pump() {
  while (moves_ < kMovesMax && next_candidate_ < candidates_.size() && budget_ > 0)
    start(candidates_[next_candidate_++]);
  if (moves_ == 0) end_round();
}

void Reclaimer::start(const KeyTags& tags) {
  ++moves_;
  auto move = std::make_shared<Move>();
  move->round = round_;
  move->tags = tags;
  move->write = std::make_shared<HeadWrite>();
  move->write->kind = HeadWrite::Kind::move;
  move->write->tags = tags;
  move->write->begin = [this, move] { begin(move); };
  move->write->done = [this, round = round_](bool is_moved) {
    // Later: this may be within pump().
    engine_.io.later([this, round, is_moved] { moved(round, is_moved); });
  };
  engine_.heads.add(move->write);
}

void Reclaimer::begin(const MovePtr& move) {
  const IndexEntry* entry = engine_.index.find(move->tags.tag, move->tags.variant_tag);
  if (entry == nullptr || move->round != round_) return give_up(move);
  engine_.load(engine_.at(*entry), true,
               [this, move](std::optional<Head> head) { plan(move, std::move(head)); });
}

void Reclaimer::plan(const MovePtr& move, std::optional<Head> head) {
  if (!head || move->round != round_) return give_up(move);
  const Geometry& geometry = engine_.geometry();
  const uint64_t stride = record_octets(geometry.chunk_octets, 0);
  uint64_t cost = 0;
  for (const Run& run : current_runs(*head, engine_.log)) {
    if (run.file_offset == head->header.file_offset) continue;  // goes with the head
    if (geometry.segment_of(run.file_offset) != victim_) {
      move->kept.push_back(run);
      continue;
    }
    Run rest = run;
    for (uint64_t at = run.file_offset; rest.octets > 0; at += stride) {
      const uint32_t part = std::min(rest.octets, geometry.chunk_octets);
      move->sources.push_back({{rest.object_offset, at, part, run.sequence}, nullptr, false});
      rest.object_offset += part;
      rest.octets -= part;
      cost += record_octets(part, 0);
    }
  }
  const bool is_head_here = head->place.segment() == victim_;
  if (!is_head_here && move->sources.empty()) return give_up(move);
  cost += head->place.octets();
  if (cost > budget_) return give_up(move);
  budget_ -= cost;
  move->head = std::move(*head);
  copy_group(move);
}

void Reclaimer::copy_group(const MovePtr& move) {
  if (move->round != round_) return give_up(move);
  if (move->next == move->sources.size()) return write_head(move);
  const size_t first = move->next;
  const size_t count = std::min(kGroup, move->sources.size() - first);
  move->next += count;
  const auto from = move->sources.begin() + static_cast<ptrdiff_t>(first);
  // Shared by the pool and its completion.
  auto group = std::make_shared<std::vector<Source>>(from, from + static_cast<ptrdiff_t>(count));
  auto work = [group, geometry = engine_.geometry()](File& file) {
    for (Source& source : *group) {
      const auto octets = static_cast<uint32_t>(sizeof(RecordHeader)) + source.chunk.octets;
      source.record = std::make_shared<Chunk>(octets, source.chunk.object_offset);
      source.is_whole = read_chunk(file, geometry, source.chunk, *source.record);
    }
  };
  engine_.io.read(std::move(work), [this, move, group] { group_read(move, *group); });
}

void Reclaimer::group_read(const MovePtr& move, const std::vector<Source>& group) {
  if (move->round != round_) return give_up(move);
  for (const Source& source : group) {
    // What cannot be read is missing from now on.
    if (!source.is_whole) ++engine_.counters.damaged;
    if (source.is_whole && !write_chunk(*move, source)) return give_up(move);
  }
  copy_group(move);
}

bool Reclaimer::write_chunk(Move& move, const Source& source) {
  WriteJob job;
  job.is_record = true;
  job.header.kind = RecordKind::chunk;
  job.header.tag = move.tags.tag;
  job.header.variant_tag = move.tags.variant_tag;
  job.header.body_octets = source.chunk.octets;
  job.header.object_offset = source.chunk.object_offset;
  if (!engine_.log.place(job.header, {}, Log::For::move)) return false;
  Run run = source.chunk;
  run.file_offset = job.header.file_offset;
  run.sequence = job.header.sequence;
  add_run(move.moved, run, engine_.geometry());
  job.chunk = source.record;
  job.body = source.record->view().subspan(sizeof(RecordHeader));
  engine_.write(std::move(job));
  return true;
}

void Reclaimer::write_head(const MovePtr& move) {
  HeadWrite& write = *move->write;
  const Head& head = move->head;
  write.primary = head.tail.primary;
  write.variant = head.tail.variant;
  write.metadata = head.tail.metadata;
  write.length = head.header.object_length;
  write.validator = head.header.validator;
  write.runs = std::move(move->kept);
  write.runs.insert(write.runs.end(), move->moved.begin(), move->moved.end());
  write.expected = head.place;
  write.body_offset = head.header.object_offset;
  auto chunk = std::make_shared<Chunk>(0, head.header.object_offset);
  write.body = head.body();
  chunk->octets = std::move(move->head.octets);
  write.chunk = std::move(chunk);
  engine_.heads.send(move->write);
}

void Reclaimer::give_up(const MovePtr& move) {
  engine_.heads.finish(move->write, false);
}

void Reclaimer::moved(uint64_t round, bool is_moved) {
  if (is_moved) ++engine_.counters.second_chances;
  if (round != round_) return;
  --moves_;
  pump();
}

// What was asked for and still lies here could not be carried on.
void Reclaimer::end_round() {
  for (const KeyTags& tags : candidates_) {
    const IndexEntry* entry = engine_.index.find(tags.tag, tags.variant_tag);
    if (entry == nullptr || entry->place.segment() != victim_) continue;
    engine_.index.erase(tags.tag, tags.variant_tag);
    ++engine_.counters.evicted;
  }
  engine_.log.end_draining(victim_);
  abort();
  engine_.go_on();
}

}  // namespace postern::http
