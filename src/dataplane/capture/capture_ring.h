// SPDX-License-Identifier: BSD-3-Clause
// CaptureRing: what one worker saw for one capture, on its way to control. A queue of bytes between
// one producer and one consumer, because frames differ in length.
//
//   | CaptureRecord | captured bytes, rounded up to 8 | CaptureRecord | ...
//
// Fixed size from construction. When it is full the frame is left out and counted, by interface;
// traffic never waits.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "base/limits.h"
#include "base/time.h"
#include "dataplane/capture/traffic_class.h"
#include "dataplane/packet/counters.h"

namespace postern {

struct CaptureRecord {
  Instant at;               // begin of the worker's turn
  uint32_t generation = 0;  // of the policy in force; 0: none
  uint16_t rule = kNoRule;  // dropped by the filter: the rule that decided, kNoRule: the default
  uint16_t length = 0;      // of the frame, bytes without FCS
  uint16_t captured = 0;    // of these, how many follow
  TracePoint point = TracePoint::received;
  DropReason reason = DropReason::none;
  InterfaceId interface = kNoInterface;  // kGateway: between the pipeline and the kernel
  WorkerId worker = 0;
  uint16_t packet = 0;  // of a packet that is followed: its number; else 0
  uint8_t detail = 0;   // session: a SessionUse; handed_over: to which worker
};

class CaptureRing {
 public:
  // Counters by interface; kGateway has the last one.
  using Counts = std::array<Counter, kGateway + 1>;

  // `bytes` is a power of two.
  explicit CaptureRing(size_t bytes);

  // Thread: the producer. `bytes` holds record.captured bytes.
  void push(const CaptureRecord& record, const uint8_t* bytes);

  // Thread: the consumer. Writes the captured bytes to `into`, which has room for kSnapLengthMax.
  // False: there is none.
  bool pop(CaptureRecord& record, std::span<uint8_t> into);
  bool is_empty() const;
  // Thread: the producer. A frame that matched is left out.
  void leave_out(InterfaceId interface);

  // producer: write, any: read. Frames that matched, and those of them that found no room.
  const Counts& matched() const { return matched_; }
  const Counts& lost() const { return lost_; }

 private:
  void copy_in(uint64_t at, const void* from, size_t size);
  void copy_out(uint64_t at, void* to, size_t size) const;

  size_t size_;
  std::unique_ptr<uint8_t[]> bytes_;
  alignas(kOwnLines) std::atomic<uint64_t> head_{0};  // consumer: write
  alignas(kOwnLines) std::atomic<uint64_t> tail_{0};  // producer: write
  uint64_t head_seen_ = 0;                            // producer
  alignas(kOwnLines) Counts matched_;
  Counts lost_;
};

}  // namespace postern
