// SPDX-License-Identifier: BSD-3-Clause
// Reclaimer: makes room: takes the oldest segment that nobody reads, carries on what was asked for
// since it was written (second chance), and frees it; always before its room is needed.
//
//   summary -> each entry: never asked for since: out of the index
//                          asked for: its turn at the HeadWriter, chunks copied, head written anew
//
// Why not the oldest out, first in first out: at five times the capacity under a Zipf workload that
// hits less (the figures are what eviction_test.cc prints); an exact order of last use would need
// links in the index and a rewrite of what lies scattered. An object of many segments is carried on
// segment by segment; one that nobody asks for loses its pieces as they come, is a partial object
// meanwhile, and goes with its head.
//
// At most `keep_percent` of a segment are carried on, so that each freed segment yields room.
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
  void scan();
  void look_at(const SummaryEntry& entry);
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
  Summary summary_;
  size_t next_entry_ = 0;
  uint64_t budget_ = 0;  // octets that may still be carried on
  std::vector<KeyTags> candidates_;
  size_t next_candidate_ = 0;
  std::unordered_set<uint64_t> seen_;
  size_t moves_ = 0;
};

}  // namespace postern::http
