// SPDX-License-Identifier: BSD-3-Clause
// Log: the segments: which is open, which are free, which may be reclaimed, and where the next
// record goes. It places; the writes that follow go to the IoQueue, in the order of the places.
//
//   free -> open -> sealed -> draining -> free
//                     ^         |   \-> drained (somebody still reads it) -> free
//                     '- kept --'
//
// A segment is sealed by its summary and a sync, before the next one is begun: so when the header
// of a segment is on the disk, everything of the segments that were freed before it is dead there,
// too. Free segments are taken in the order of their old sequence: what a tombstone had removed is
// written over before the tombstone is.
//
// Bounds: 20 octets a segment, four bits a chunk, the summary of the open segment. Thread: the
// store's.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/http/store/io_queue.h"

namespace postern::http {

struct Segment {
  enum class State : uint8_t { free, open, sealed, draining, drained };
  State state = State::free;
  uint32_t sequence = 0;  // 0: free
  uint32_t age = 0;       // its sequence, or the one that was current when it was kept
  uint32_t used = 0;      // octets of header and records
  uint32_t pins = 0;      // of those who read it
};

class Log {
 public:
  Log(const Geometry& geometry, IoQueue& io);

  // Whether a record can be placed in any segment at all.
  bool fits(uint64_t record_octets, uint64_t key_octets) const;
  // Gives the record its place: sequence and file offset of `header`, whose lengths are set; an
  // entry in the summary, with `keys` (primary and variant). False: no segment is free now. The
  // last free one is for what is carried on from a segment that is being reclaimed, so that new
  // objects cannot take the room of those that have proved themselves.
  enum class For { fill, move };
  bool place(RecordHeader& header, std::string_view keys, For what);

  const Geometry& geometry() const { return geometry_; }
  const Segment& segment(uint32_t index) const { return segments_[index]; }
  // The sequence of the open segment, or of the last one.
  uint32_t sequence() const { return sequence_; }
  bool is_spent() const { return sequence_ >= kSequenceMax; }
  size_t free_count() const { return free_.size(); }
  // Whether the octets of the run are those that it was made for.
  bool is_current(const Run& run) const;

  void pin(uint32_t segment) { ++segments_[segment].pins; }
  // A drained segment becomes free with its last pin.
  void unpin(uint32_t segment);

  // Records whose sum was found right since they were written or the file was opened; of those with
  // bodies of a quarter of a chunk or more, as no two of them begin in the same slot.
  bool has_slot(uint32_t body_octets) const { return body_octets >= geometry_.chunk_octets / 4; }
  bool is_verified(uint64_t file_offset) const { return verified_[slot_of(file_offset)]; }
  void set_verified(uint64_t file_offset) { verified_[slot_of(file_offset)] = true; }

  // The sealed one with the lowest age that nobody reads.
  std::optional<uint32_t> victim() const;
  // The one with the lowest sequence from `sequence` on that holds anything.
  std::optional<uint32_t> first_from(uint32_t sequence) const;
  // Whether there is one with a lower age, which is being read.
  bool has_sealed_before(uint32_t age) const;
  void begin_draining(uint32_t segment);
  // It stays as it is, and is as old as the open one from now on. `summary`, unless empty: what
  // takes the place of its summary on the disk.
  void keep(uint32_t segment, std::vector<uint8_t> summary);
  void end_draining(uint32_t segment);

  // At start: the segment as it was found on the disk, sealed.
  void adopt(uint32_t segment, const Segment& found);
  // Sequences go on behind those on the disk, and behind one that may be there unseen (its header
  // lost with the power): none is ever used twice. At least `sequence`.
  void begin_after(uint32_t sequence);
  // After a failed write: the open segment gets no more, and no summary.
  void give_up_open();
  // All that is there is gone; segments that are read become free later.
  void clear();
  // Writes the summary of the open segment, if there is one.
  void seal_open();

  const std::vector<SummaryEntry>& open_entries() const { return entries_; }
  const std::string& open_keys() const { return keys_; }
  // -1: none is open.
  int64_t open_segment() const { return open_; }
  uint64_t octets_used() const;

  static constexpr uint32_t kSequenceMax = 0xffffff00;

 private:
  bool open_next(For what);
  void write_header(uint32_t segment);
  void release(uint32_t segment);
  uint64_t room_in_open() const;
  size_t slot_of(uint64_t file_offset) const { return file_offset / (geometry_.chunk_octets / 4); }

  const Geometry geometry_;
  IoQueue& io_;
  std::vector<Segment> segments_;
  std::set<std::pair<uint32_t, uint32_t>> free_;  // old sequence, segment
  uint32_t sequence_ = 0;
  int64_t open_ = -1;
  std::vector<SummaryEntry> entries_;  // of the open segment
  std::string keys_;
  std::vector<bool> verified_;
};

// Entries, keys and footer as they lie at the end of a segment.
std::vector<uint8_t> encode_summary(const std::vector<SummaryEntry>& entries,
                                    const std::string& keys, SegmentFooter footer, uint32_t salt);

}  // namespace postern::http
