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
// too.
//
// What is dead in memory (replaced, removed) still lies on the disk, and would come back at the
// next start if what has replaced or removed it had gone before. So nothing may outlive its
// successor:
// - segments are reclaimed in the order of age, then sequence, and free ones are taken in the order
//   of their old sequence; a successor never lies in an older one;
// - one that is kept, because it is hot or because somebody reads it, is as old as the open one
// from
//   then on; what is dead in it is struck from its summary, on the disk before its header says so;
// - one that was let go while somebody still reads it loses its header at once.
//
// Bounds: 24 octets a segment, four bits a chunk, the summary of the open segment. Thread: the
// store's.
#pragma once

#include <functional>
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
  uint32_t sequence = 0;   // 0: free
  uint32_t age = 0;        // its sequence, or the one that was current when it was kept
  uint32_t used = 0;       // octets of header and records
  uint32_t pins = 0;       // of those who read it
  bool is_settled = true;  // its summary is on the disk, or will never be
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

  // The sealed one that is next to be reclaimed, or, where somebody reads it, to be kept: there is
  // another one behind it then. Nothing: all are being read.
  std::optional<uint32_t> victim() const;
  // Called when there may be a victim that was not settled before.
  void when_settled(std::function<void()> settled) { settled_ = std::move(settled); }
  // The one with the lowest sequence from `sequence` on that holds anything.
  std::optional<uint32_t> first_from(uint32_t sequence) const;
  void begin_draining(uint32_t segment);
  // It stays as it is, and is as old as the open one from now on. `summary`, unless empty: what
  // takes the place of its summary on the disk, where there is room for it.
  void keep(uint32_t segment, std::vector<uint8_t> summary);
  void end_draining(uint32_t segment);

  // At start: the segment as it was found on the disk, sealed.
  void adopt(uint32_t segment, const Segment& found);
  // Sequences go on behind those on the disk, and behind one that may be there unseen (its header
  // lost with the power): none is ever used twice. At least `sequence`.
  void begin_after(uint32_t sequence);
  // After failed writes, when the disk is to be tried again: the open segment gets no more, and no
  // summary; what may not have been written of those that were kept or let go is made up for.
  void mend();
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
  void give_up_open();
  void write_header(uint32_t segment);
  void erase_header(uint32_t segment);
  void release(uint32_t segment);
  bool is_up_to_date(const Segment& segment) const;
  uint64_t room_in_open() const;
  size_t slot_of(uint64_t file_offset) const { return file_offset / (geometry_.chunk_octets / 4); }

  const Geometry geometry_;
  IoQueue& io_;
  std::vector<Segment> segments_;
  std::set<std::pair<uint32_t, uint32_t>> free_;  // old sequence, segment
  uint32_t sequence_ = 0;
  bool is_ahead_ = false;      // `sequence_` is that of the next segment already
  bool is_sync_owed_ = false;  // before the next segment is begun
  int64_t open_ = -1;
  std::function<void()> settled_;
  std::vector<SummaryEntry> entries_;  // of the open segment
  std::string keys_;
  std::vector<bool> verified_;
};

// Entries, keys and footer as they lie at the end of a segment.
std::vector<uint8_t> encode_summary(const std::vector<SummaryEntry>& entries,
                                    const std::string& keys, SegmentFooter footer, uint32_t salt);

}  // namespace postern::http
