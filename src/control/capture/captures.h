// SPDX-License-Identifier: BSD-3-Clause
// Captures: the captures that run, from the words of an administrator to the frames he gets.
//
//   start -> set of captures published to the workers -> read, read, read ... -> stop
//         -> every worker has taken the set without it -> the rest is read -> gone
//
// Whoever asks for a capture must go on reading: one that was not read for kUnreadMax is stopped,
// so nothing is left running behind a client that went away. Bounded: kCapturesMax captures, shared
// out to users by kPlaces, kCaptureRingBytes for each and worker (allocated while it runs),
// kBatchMax frames and kBatchBytesMax bytes an answer. Thread: control.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/loop.h"
#include "control/user_places.h"
#include "dataplane/capture/capture_slot.h"

namespace postern {

class Captures {
 public:
  static constexpr UserPlaces kPlaces = {.all = kCapturesMax, .others = 3, .each = 2};
  static constexpr size_t kBatchMax = 1024;
  static constexpr size_t kBatchBytesMax = size_t{1} << 20;
  static constexpr Duration kReadWait = milliseconds(500);  // until an empty answer
  static constexpr Duration kUnreadMax = seconds(5);

  // What the captures are made in; all of it may be asked from the first start() on.
  struct World {
    std::function<unsigned()> workers;
    std::function<void(const CaptureSet* set)> publish;
    std::function<bool(uint32_t generation)> have_taken;
    std::function<Instant()> now;
  };
  Captures(Loop& loop, World world) : loop_(loop), world_(std::move(world)) {}

  using Id = uint32_t;
  struct Wanted {
    TrafficClass what;
    bool follows = false;
    uint16_t snap_length = 256;
    uint32_t uid = 0;
    std::string who, words;  // for `list`
  };
  // An Error when too many run, in all or of this user.
  Result<Id> start(Wanted wanted);

  struct Seen {
    CaptureRecord record;
    std::vector<uint8_t> bytes;
  };
  struct Totals {  // by interface; kGateway has the last one
    std::array<uint64_t, kGateway + 1> matched = {}, lost = {};
  };
  struct Batch {
    std::vector<Seen> frames;  // by time
    Totals totals;             // since the start
    bool has_ended = false;    // this is the last one
  };
  // Answers as soon as there is something, with nothing after kReadWait. False: there is no such
  // capture, it belongs to another user than `uid` (which is not root), or is read already.
  bool read(Id id, uint32_t uid, std::function<void(const Batch& batch)> answer);
  // No further frames; what was caught is still there to read. False: there is none of this user.
  bool stop(Id id, uint32_t uid);

  struct Row {
    Id id = 0;
    std::string who, words;
    Instant started;
    uint64_t matched = 0, lost = 0;
  };
  std::vector<Row> list() const;

 private:
  struct Running {
    Id id = 0;
    Wanted wanted;
    Capture capture;
    Instant started, last_read, asked;
    uint32_t gone_since = 0;  // generation of the first set without it; 0: it runs
    std::function<void(const Batch&)> reader;
  };

  Running* find(Id id, uint32_t uid);
  void publish();
  void turn();
  // Whether it is over and may be forgotten.
  bool look_after(Running& running);
  void drain(Running& running, Batch& batch);

  Loop& loop_;
  World world_;
  std::vector<std::unique_ptr<Running>> running_;
  std::deque<std::unique_ptr<CaptureSet>> sets_;  // the last one is published
  uint32_t generation_ = 0;
  Id last_id_ = 0;
  bool is_turning_ = false;
};

}  // namespace postern
