// SPDX-License-Identifier: BSD-3-Clause
// KeyWalk: all keys of the store, for the removal by pattern and for lists: the fills first, as one
// may be in the index before the walk ends; then from the summaries of the segments in the order in
// which they were written, so that what is carried on meanwhile is met behind, not missed; then
// fills that have come since. The open segment is looked at again until nothing new is in it. A
// segment at a time is in memory; others get the thread after kWalkStep keys.
// Thread: the store's.
#pragma once

#include <memory>

#include "services/http/store/engine.h"
#include "services/http/store/summary.h"

namespace postern::http {

class KeyWalk : public std::enable_shared_from_this<KeyWalk> {
 public:
  KeyWalk(Engine& engine, Store::VisitKey visit, Store::Done done)
      : engine_(engine), visit_(std::move(visit)), done_(std::move(done)) {}
  void start();

 private:
  void next_segment();
  void read_segment(uint32_t sequence);
  void step();
  // False: the visitor has enough.
  bool visit_entry(const SummaryEntry& entry);
  bool visit_fills();
  void end(bool is_done);

  Engine& engine_;
  const Store::VisitKey visit_;
  const Store::Done done_;
  uint32_t from_ = 1;  // sequence of the next segment, at least
  uint32_t segment_ = 0;
  bool was_open_ = false;  // as its entries were taken: it may have more by now
  Summary summary_;
  size_t next_ = 0;
  int tries_ = 0;            // to read the summary
  uint64_t fills_from_ = 0;  // the number of the first one that was not visited
  bool is_all_read_ = true;
};

}  // namespace postern::http
