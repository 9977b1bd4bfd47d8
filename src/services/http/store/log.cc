// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/log.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "services/http/store/crc32c.h"

namespace postern::http {
namespace {

void append(std::vector<uint8_t>& to, const void* octets, size_t count) {
  const auto* from = static_cast<const uint8_t*>(octets);
  to.insert(to.end(), from, from + count);
}

}  // namespace

std::vector<uint8_t> encode_summary(const std::vector<SummaryEntry>& entries,
                                    const std::string& keys, SegmentFooter footer, uint32_t salt) {
  const size_t entries_octets = entries.size() * sizeof(SummaryEntry);
  footer.entries = static_cast<uint32_t>(entries.size());
  footer.keys_octets = static_cast<uint32_t>(keys.size());
  footer.entries_crc = crc32c(salt, entries.data(), entries_octets);
  footer.keys_crc = crc32c(salt, keys.data(), keys.size());
  seal(footer, salt);
  std::vector<uint8_t> octets;
  octets.reserve(entries_octets + keys.size() + sizeof footer);
  append(octets, entries.data(), entries_octets);
  append(octets, keys.data(), keys.size());
  append(octets, &footer, sizeof footer);
  return octets;
}

Log::Log(const Geometry& geometry, IoQueue& io)
    : geometry_(geometry),
      io_(io),
      segments_(geometry.segments),
      verified_(geometry.file_octets / (geometry.chunk_octets / 4) + 1) {
  for (uint32_t i = 0; i < geometry_.segments; ++i)
    free_.emplace(0, i);
}

bool Log::fits(uint64_t record_octets, uint64_t key_octets) const {
  return sizeof(SegmentHeader) + record_octets + sizeof(SummaryEntry) + key_octets +
             sizeof(SegmentFooter) <=
         geometry_.segment_octets;
}

uint64_t Log::room_in_open() const {
  const uint64_t taken = uint64_t{segments_[static_cast<size_t>(open_)].used} +
                         entries_.size() * sizeof(SummaryEntry) + keys_.size() +
                         sizeof(SegmentFooter);
  return geometry_.segment_octets - taken;
}

bool Log::place(RecordHeader& header, std::string_view keys, For what) {
  const uint64_t octets = header.octets();
  POSTERN_ASSERT(fits(octets, keys.size()));
  const uint64_t needed = octets + sizeof(SummaryEntry) + keys.size();
  if (open_ >= 0 && room_in_open() < needed) seal_open();
  if (open_ < 0 && !open_next(what)) return false;

  const auto index = static_cast<uint32_t>(open_);
  Segment& segment = segments_[index];
  header.sequence = segment.sequence;
  header.file_offset = geometry_.start_of(index) + segment.used;
  SummaryEntry entry;
  entry.tag = header.tag;
  entry.variant_tag = header.variant_tag;
  entry.kind = header.kind;
  entry.offset = segment.used;
  entry.octets = static_cast<uint32_t>(octets);
  entry.key_at = static_cast<uint32_t>(keys_.size());
  entry.primary_octets = header.primary_octets;
  entry.variant_octets = header.variant_octets;
  entries_.push_back(entry);
  keys_ += keys;
  segment.used += static_cast<uint32_t>(octets);
  return true;
}

bool Log::open_next(For what) {
  if (free_.size() < (what == For::move ? 1 : 2) || is_spent()) return false;
  const uint32_t index = free_.begin()->second;
  free_.erase(free_.begin());
  if (!std::exchange(is_ahead_, false)) ++sequence_;
  if (std::exchange(is_sync_owed_, false)) {
    WriteJob sync;
    sync.sync = WriteJob::Sync::before;
    io_.write(std::move(sync));
  }
  Segment& segment = segments_[index];
  segment = Segment{};
  segment.state = Segment::State::open;
  segment.sequence = sequence_;
  segment.age = segment.sequence;
  segment.used = sizeof(SegmentHeader);
  open_ = index;
  const uint64_t from = geometry_.start_of(index);
  for (uint64_t at = from; at < from + geometry_.segment_octets; at += geometry_.chunk_octets / 4)
    verified_[slot_of(at)] = false;

  WriteJob renewal;
  renewal.offset = from;
  renewal.renewed = geometry_.segment_octets;
  io_.write(std::move(renewal));
  write_header(index);
  return true;
}

void Log::write_header(uint32_t segment) {
  SegmentHeader header;
  header.sequence = segments_[segment].sequence;
  header.age = segments_[segment].age;
  header.segment = segment;
  seal(header, geometry_.salt);
  WriteJob job;
  job.offset = geometry_.start_of(segment);
  append(job.tail, &header, sizeof header);
  io_.write(std::move(job));
}

// It reads as no segment then; who reads its records does not look there.
void Log::erase_header(uint32_t segment) {
  WriteJob job;
  job.offset = geometry_.start_of(segment);
  job.tail.resize(sizeof(SegmentHeader));
  io_.write(std::move(job));
  is_sync_owed_ = true;
}

void Log::seal_open() {
  if (open_ < 0) return;
  const auto index = static_cast<uint32_t>(open_);
  Segment& segment = segments_[index];
  SegmentFooter footer;
  footer.sequence = segment.sequence;
  footer.segment = index;
  footer.used = segment.used;
  WriteJob job;
  job.tail = encode_summary(entries_, keys_, footer, geometry_.salt);
  job.offset = geometry_.start_of(index + 1) - job.tail.size();
  job.sync = WriteJob::Sync::before;
  job.done = [this, index, sequence = segment.sequence](bool) {
    if (segments_[index].sequence != sequence) return;
    segments_[index].is_settled = true;
    if (settled_) settled_();
  };
  segment.state = Segment::State::sealed;
  segment.is_settled = false;
  is_sync_owed_ = false;
  io_.write(std::move(job));
  entries_.clear();
  keys_.clear();
  open_ = -1;
}

void Log::begin_after(uint32_t sequence) {
  sequence_ = std::max(sequence_ + 1, sequence);
  is_ahead_ = false;
}

void Log::mend() {
  give_up_open();
  for (uint32_t i = 0; i < segments_.size(); ++i) {
    Segment& segment = segments_[i];
    segment.is_settled = true;
    segment.age = segment.sequence;
    if (segment.state == Segment::State::drained) erase_header(i);
  }
}

void Log::give_up_open() {
  if (open_ < 0) return;
  segments_[static_cast<size_t>(open_)].state = Segment::State::sealed;
  entries_.clear();
  keys_.clear();
  open_ = -1;
}

bool Log::is_current(const Run& run) const {
  const uint64_t last = run.octets == 0 ? 0 : (run.octets - 1) / geometry_.chunk_octets;
  const uint64_t before = last * geometry_.chunk_octets;
  const uint64_t count =
      last * record_octets(geometry_.chunk_octets, 0) + record_octets(run.octets - before, 0);
  if (!geometry_.holds(run.file_offset, count)) return false;
  const Segment& segment = segments_[geometry_.segment_of(run.file_offset)];
  return segment.sequence == run.sequence && segment.state != Segment::State::free &&
         segment.state != Segment::State::drained;
}

// Kept since all others but the open one were sealed: nothing in them kills what is in it.
bool Log::is_up_to_date(const Segment& segment) const {
  return segment.age == sequence_ && segment.sequence != sequence_ && (open_ >= 0 || is_ahead_);
}

std::optional<uint32_t> Log::victim() const {
  std::optional<uint32_t> oldest;
  bool can_go = false;
  const auto is_before = [this](const Segment& segment, uint32_t other) {
    const Segment& than = segments_[other];
    return std::pair(segment.age, segment.sequence) < std::pair(than.age, than.sequence);
  };
  for (uint32_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    if (segment.state != Segment::State::sealed || !segment.is_settled) continue;
    if (segment.pins > 0 && is_up_to_date(segment)) continue;
    can_go = can_go || segment.pins == 0;
    if (!oldest || is_before(segment, *oldest)) oldest = i;
  }
  if (!can_go) return std::nullopt;
  return oldest;
}

std::optional<uint32_t> Log::first_from(uint32_t sequence) const {
  std::optional<uint32_t> first;
  for (uint32_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    const bool holds =
        segment.state != Segment::State::free && segment.state != Segment::State::drained;
    if (!holds || segment.sequence < sequence) continue;
    if (!first || segment.sequence < segments_[*first].sequence) first = i;
  }
  return first;
}

void Log::begin_draining(uint32_t segment) {
  segments_[segment].state = Segment::State::draining;
}

void Log::keep(uint32_t segment, std::vector<uint8_t> summary) {
  // While none is open, the youngest sealed one may have what kills something in this one.
  if (open_ < 0 && !std::exchange(is_ahead_, true)) ++sequence_;
  segments_[segment].state = Segment::State::sealed;
  segments_[segment].age = sequence_;
  const bool has_room = segments_[segment].used + summary.size() <= geometry_.segment_octets;
  if (!summary.empty() && has_room) {
    WriteJob job;
    job.offset = geometry_.start_of(segment + 1) - summary.size();
    job.tail = std::move(summary);
    job.sync = WriteJob::Sync::before;
    io_.write(std::move(job));
  }
  write_header(segment);
}

void Log::end_draining(uint32_t segment) {
  segments_[segment].state = Segment::State::drained;
  if (segments_[segment].pins == 0) return release(segment);
  erase_header(segment);
}

void Log::unpin(uint32_t segment) {
  POSTERN_ASSERT(segments_[segment].pins > 0);
  if (--segments_[segment].pins == 0 && segments_[segment].state == Segment::State::drained)
    release(segment);
}

void Log::release(uint32_t segment) {
  free_.emplace(segments_[segment].sequence, segment);
  segments_[segment] = Segment{};
}

void Log::adopt(uint32_t segment, const Segment& found) {
  free_.erase({0, segment});
  segments_[segment] = found;
  segments_[segment].state = Segment::State::sealed;
  sequence_ = std::max({sequence_, found.sequence, found.age});
}

void Log::clear() {
  give_up_open();
  for (uint32_t i = 0; i < segments_.size(); ++i)
    if (segments_[i].state != Segment::State::free) end_draining(i);
}

uint64_t Log::octets_used() const {
  uint64_t sum = 0;
  for (const Segment& segment : segments_)
    sum += segment.used;
  return sum;
}

}  // namespace postern::http
