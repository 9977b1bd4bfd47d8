// SPDX-License-Identifier: BSD-3-Clause
// Reclaimer: makes room: takes the oldest segment, gives what was asked for since
// it was written a second chance, and frees it; always before its room is needed.
//
//   summary -> asked for since: at most keep_percent of the segment?
//     yes -> these are carried on, each in its turn at the StoreHeadWriter (chunks copied, head
//     written
//            anew); the others go out of the index; the segment is free
//     no  -> the segment is kept as it is, as if it were new: nothing is copied. So stays a long
//            object of many segments that many want. Half of all in a row at most; behind that
//            what is beyond keep_percent is lost.
//
// Why not first in, first out: it hits less (reclaim_test.cc measures both with a Zipf workload at
// five times the capacity); an exact order of last use would need links in the index and the copy
// of all that lies between. A long object that nobody asks for loses its pieces as they come, is a
// partial object meanwhile, and goes with its head.
//
// One that somebody reads is kept, too, whatever is in it. Heads that are dead (replaced or
// removed) are struck from the summary of a segment that is kept: log.h says why.
//
// Bounds: kMovesMax heads or groups of chunks under way. Thread: the store's.
#pragma once

#include <memory>
#include <unordered_set>
#include <vector>

#include "services/http/store/head_writer.h"
#include "services/http/store/summary.h"

namespace postern::http {

class Reclaimer {
 public:
  explicit Reclaimer(Engine& engine) : engine_(engine) {}

  // Begins a round where room is wanted and none is under way.
  void kick();
  // The round under way ends in nothing: everything was cleared.
  void abort();
  bool is_running() const { return is_running_; }

 private:
  struct Source {
    Run chunk;                      // one record
    std::shared_ptr<Chunk> record;  // as it was read; shared with the pool
    bool is_whole = false;
  };
  struct Move {
    uint64_t round = 0;
    KeyTags tags;
    std::shared_ptr<HeadWrite> write;
    Head head;
    std::vector<Run> kept;  // those that lie elsewhere
    std::vector<Run> moved;
    std::vector<Source> sources;
    size_t next = 0;
  };
  using MovePtr = std::shared_ptr<Move>;  // shared with reads under way

  bool is_room_wanted() const;
  bool is_index_full() const;
  void scan();
  void look_at(SummaryEntry& entry);
  bool want(const KeyTags& tags);
  void decide();
  void keep();
  void let_go();
  void let_go(const SummaryEntry& entry);
  void pump();
  void start(const KeyTags& tags);
  void begin(const MovePtr& move);
  void plan(const MovePtr& move, std::optional<Head> head);
  void copy_group(const MovePtr& move);
  void group_read(const MovePtr& move, const std::vector<Source>& group);
  bool write_chunk(Move& move, const Source& source);
  void write_head(const MovePtr& move);
  void give_up(const MovePtr& move);
  void moved(uint64_t round, bool is_moved);
  void end_round();

  Engine& engine_;
  bool is_running_ = false;
  uint64_t round_ = 0;
  uint32_t victim_ = 0;
  uint32_t sequence_ = 0;
  uint32_t age_ = 0;
  bool is_read_ = false;  // by somebody, as the round began
  uint32_t kept_in_row_ = 0;
  bool has_chances_ = false;  // of the round
  bool has_struck_ = false;   // the summary differs from that on the disk
  uint64_t hot_octets_ = 0;
  Summary summary_;
  size_t next_entry_ = 0;
  uint64_t budget_ = 0;  // octets that may still be carried on
  std::vector<KeyTags> candidates_;
  size_t next_candidate_ = 0;
  std::unordered_set<uint64_t> seen_;
  size_t moves_ = 0;
};

}  // namespace postern::http
