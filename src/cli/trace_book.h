// SPDX-License-Identifier: BSD-3-Clause
// TraceBook: what was seen of packets that are followed -> each packet with its way. Rows are the
// objects of "capture read" (control/admin/capture.h), which come from several workers and so not
// always in the order of the packet's way:
//
//   received (worker 1) -> handed-over to 0 ;  session (worker 0) -> sent (worker 0)
//
// A packet is whole when it was sent or dropped and a whole batch has brought no more of it (pieces
// of it, the answer to it), or when kPatience has passed since: then it waits somewhere for its
// next hop or its other pieces. Bounded: kPacketsMax at a time; the oldest go as they are.
// Pure; thread: any.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/time.h"
#include "cli/client.h"

namespace postern::cli {

class TraceBook {
 public:
  static constexpr size_t kPacketsMax = 4096;
  static constexpr Duration kPatience = milliseconds(2500);  // numbers come back after 3 s

  void add(const Json& row, Instant now);
  // After each batch: the packets whose way is known now, in the order in which they came in; all
  // there are, when it was the last batch.
  //   {"packet", "time", "verdict", "reason", "rule", "line", "generation", "stages": [rows]}
  // verdict: forwarded, delivered (to the gateway), answered (refused, and the sender told),
  // dropped, waiting.
  std::vector<Json> take(Instant now, bool is_last);

 private:
  struct Followed {
    int64_t number = 0;
    std::vector<Json> rows;  // as they came
    Instant since, touched;
    bool has_begin = false, has_end = false;
  };
  Followed& find(int64_t number, bool is_begin, Instant now);

  std::deque<Followed> followed_;
  uint64_t told_ = 0;
};

// One packet of take() for people, several lines.
std::string text_of_trace(const Json& packet);

}  // namespace postern::cli
