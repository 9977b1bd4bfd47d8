// SPDX-License-Identifier: BSD-3-Clause
// Backlog: messages for a collector in the order they were made, in memory as long as they leave
// again soon, on disk when they do not.
//
//   push -> [back, memory] -> [segments on disk] -> [front, memory] -> next, sent, acknowledge
//
// A message leaves the front when it is acknowledged; resend() goes back to the first that is not.
// A segment's file goes with its last message, so what a crash interrupts may be sent twice, never
// left out. Nothing is written behind what another process, or a full disk, may have torn. Files
// are DIRECTORY/NUMBER.spool, the smallest number first:
//
//   "PSPL1\n", then records: length (4 bytes, big-endian), checksum (4 bytes), the message
//
// Bounds: `bytes_max` in all; a message beyond is refused and counted (take_lost). One segment of
// kSegmentMax in memory at either end. Thread: one.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern {

class Backlog {
 public:
  static constexpr size_t kSegmentMax = size_t{1} << 20;  // bytes
  static constexpr size_t kMessageMax = 8192;

  Backlog(std::string directory, uint64_t bytes_max)
      : directory_(std::move(directory)), bytes_max_(bytes_max) {}

  // Finds what an earlier process has left. Without it nothing is kept on disk.
  Result<void> open();
  void set_bytes_max(uint64_t bytes_max) { bytes_max_ = bytes_max; }

  // False: there is no room, or it is empty or too long; counted.
  bool push(std::string message);
  // Of messages refused since the last call, once there is room again for more than a few; else 0.
  uint64_t take_lost();

  // The first message that was not sent yet; nullptr: there is none.
  const std::string* next();
  void sent() { ++sent_; }
  size_t in_flight() const { return sent_; }
  // The first `count` messages have arrived.
  void acknowledge(size_t count);
  // What is in flight is to be sent again.
  void resend() { sent_ = 0; }

  bool is_empty() const { return front_.empty() && back_.empty() && segments_.empty(); }
  uint64_t bytes() const { return front_bytes_ + back_bytes_ + disk_bytes_; }

  // Brings to disk what is in memory alone: all of it, which leaves memory, or the back of the
  // queue.
  Result<void> save();
  Result<void> spill();
  // The same for what is in flight, too, which stays in flight.
  Result<void> secure();
  // Messages that are in memory.
  size_t in_memory() const { return front_.size() + back_.size(); }
  // Forgets everything, on disk, too. How many messages that were, as far as can be read.
  uint64_t discard();

 private:
  std::string path_of(uint64_t number) const;
  Result<void> write(uint64_t number, const std::deque<std::string>& messages, bool append);
  Result<void> write_front();
  void load();
  void remove_file(uint64_t number) const;

  std::string directory_;
  uint64_t bytes_max_;
  bool is_open_ = false;
  std::deque<std::string> front_, back_;
  size_t sent_ = 0;  // of the front
  uint64_t front_bytes_ = 0, back_bytes_ = 0, disk_bytes_ = 0;
  std::map<uint64_t, uint64_t> segments_;  // on disk and not loaded: number -> bytes
  struct Run {
    uint64_t number;  // of the segment; 0: never was on disk
    size_t left;      // messages of it in the front
  };
  std::deque<Run> runs_;  // what the front is made of, in order
  uint64_t last_number_ = 0;
  bool can_append_ = false;  // to the last segment: it is whole, and we have written it
  uint64_t lost_ = 0;
};

// The messages of a segment's bytes, as far as they are whole.
struct SpoolSegment {
  std::vector<std::string> messages;
  bool is_whole = false;
};
SpoolSegment read_spool(std::string_view bytes);
std::string spool_record(std::string_view message);
constexpr std::string_view kSpoolMagic = "PSPL1\n";

}  // namespace postern
