// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/key_walk.h"

#include <algorithm>

namespace postern::http {
namespace {

constexpr size_t kWalkStep = 256;
constexpr int kTriesMax = 2;

}  // namespace

void KeyWalk::start() {
  const uint64_t begun = engine_.begins;
  if (!visit_fills()) return end(false);
  fills_from_ = begun + 1;
  next_segment();
}

void KeyWalk::next_segment() {
  const auto found = engine_.log.first_from(from_);
  if (!found) return end(visit_fills() && is_all_read_);
  segment_ = *found;
  const uint32_t sequence = engine_.log.segment(segment_).sequence;
  // What was visited while it was open is passed over.
  const bool is_begun = was_open_ && from_ == sequence;
  if (!is_begun) next_ = 0;
  was_open_ = engine_.log.open_segment() == segment_;
  from_ = was_open_ ? sequence : sequence + 1;
  if (!was_open_) return read_segment(sequence);
  if (is_begun && next_ == engine_.log.open_entries().size())
    return end(visit_fills() && is_all_read_);
  summary_ = Summary{};
  summary_.entries = engine_.log.open_entries();
  summary_.keys = engine_.log.open_keys();
  step();
}

void KeyWalk::read_segment(uint32_t sequence) {
  // Shared by the pool and its completion.
  auto result = std::make_shared<Summary>();
  auto work = [result, geometry = engine_.geometry(), segment = segment_](File& file) {
    if (auto summary = read_summary(file, geometry, segment, true)) *result = std::move(*summary);
  };
  engine_.io.read(std::move(work), [self = shared_from_this(), result, sequence] {
    // Of another sequence: it was reclaimed meanwhile, and what was carried on lies further on.
    const bool is_there = self->engine_.log.segment(self->segment_).sequence == sequence;
    const bool is_read = result->sequence == sequence;
    // One that is kept may get its summary anew just now.
    if (is_there && !is_read && self->tries_++ < kTriesMax) return self->read_segment(sequence);
    self->tries_ = 0;
    if (is_there && !is_read) self->is_all_read_ = false;
    self->summary_ = is_read ? std::move(*result) : Summary{};
    self->step();
  });
}

void KeyWalk::step() {
  const size_t end = std::min(next_ + kWalkStep, summary_.entries.size());
  while (next_ < end)
    if (!visit_entry(summary_.entries[next_++])) return this->end(false);
  engine_.io.later([self = shared_from_this()] {
    if (self->next_ < self->summary_.entries.size())
      self->step();
    else
      self->next_segment();
  });
}

// What the index no longer knows at this place was replaced, removed or carried on.
bool KeyWalk::visit_entry(const SummaryEntry& entry) {
  if (entry.kind != RecordKind::object) return true;
  const IndexEntry* known = engine_.index.find(entry.tag, entry.variant_tag);
  if (known == nullptr || known->place != Place(segment_, entry.offset, entry.octets)) return true;
  return visit_({summary_.primary_of(entry), summary_.variant_of(entry)});
}

// False: the visitor has enough.
bool KeyWalk::visit_fills() {
  // Copied: the visitor may remove.
  std::vector<std::shared_ptr<Fill>> fills;
  fills.reserve(engine_.fills.size());
  for (const auto& [tag, fill] : engine_.fills)
    if (!fill->is_cancelled() && fill->number() >= fills_from_) fills.push_back(fill);
  return std::all_of(fills.begin(), fills.end(),
                     [this](const std::shared_ptr<Fill>& fill) { return visit_(fill->key()); });
}

void KeyWalk::end(bool is_done) {
  if (done_) done_(is_done);
}

}  // namespace postern::http
