// SPDX-License-Identifier: BSD-3-Clause
// Worker: one thread on one core that moves frames. A turn of its poll loop:
//
//   acquire policy, read clock
//   -> receive: its queues of every port, host paths, other workers' hand-offs, control's frames
//   -> Pipeline::process, burst by burst -> Sender
//   -> Pipeline::turn (ages, held packets) -> Sender -> flush
//   -> dump rows, ring bells, report the policy's generation as finished with
//
// With Idle::sleep a worker whose turns stay empty waits until something tells of work (wakeups.h);
// where its ports cannot, it naps, in growing steps up to kNapMax, and receive rings hold what
// arrives meanwhile. When told to stop it frees every buffer that it or its
// pipeline holds.
#pragma once

#include <atomic>
#include <span>
#include <vector>

#include "base/limits.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/policy/policy_slot.h"
#include "dataplane/runtime/dataplane.h"
#include "dataplane/runtime/host_pace.h"
#include "dataplane/runtime/nap.h"
#include "dataplane/runtime/sender.h"
#include "dataplane/runtime/wakeups.h"

namespace postern {

// A frame on the way from control to the wire.
struct InjectedFrame {
  InterfaceId interface = kNoInterface;
  uint16_t length = 0;
  std::array<uint8_t, Dataplane::kInjectFrameMax> bytes;
};

// What a worker and the threads around it meet at.
struct alignas(kOwnLines) WorkerDesk {
  SpscRing<LogRecord> log{kLogRing};              // worker -> logging thread
  SpscRing<FlowRecord> flows{kFlowRing};          // worker -> IPFIX thread
  SpscRing<ControlEvent> events{kEventRing};      // worker -> control
  SpscRing<InjectedFrame> injected{kInjectRing};  // control -> worker (worker 0 only)
  WorkerCounters counters;                        // worker: write, others: read
  Dump dump;
  Doorbell wake;  // worker: sleeps by it, others: ring after they left it something
};

class alignas(kOwnLines) Worker {
 public:
  struct Settings {
    WorkerId id = 0;
    uint32_t core = 0;
    Idle idle = Idle::sleep;
    Clock clock;
    Pipeline::Settings pipeline;
  };
  // All of it outlives the worker.
  struct Shared {
    const PortTable* ports = nullptr;
    const Buffers* buffers = nullptr;
    std::span<rte_ring* const> hand_off_rings;
    std::span<Doorbell* const> bells;  // by worker: desk->wake of each
    PolicySlot* policies = nullptr;
    const NeighborTable* neighbors = nullptr;
    Doorbell* log_bell = nullptr;
    Doorbell* event_bell = nullptr;
    CaptureSlot* captures = nullptr;
    IdentitySlot* identities = nullptr;
    WorkerDesk* desk = nullptr;
    const std::atomic<bool>* is_stopping = nullptr;  // control: write
  };
  Worker(const Settings& settings, const Shared& shared);

  // The thread's body: settle() once, then run(), which returns when is_stopping is set.
  // False: DPDK does not take the thread.
  bool settle();
  void run();

  uint32_t core() const { return settings_.core; }

 private:
  struct Source {
    const EthPort* port;
    unsigned queue;
  };

  void find_sources();
  // One turn of the loop; returns how many frames it moved.
  size_t turn();
  size_t receive(const Source& source);
  size_t receive_from_hosts();
  size_t receive_hand_offs();
  size_t send_injected();
  size_t process(std::span<Packet> burst);
  // Puts what the outbox holds on its way.
  void deliver();
  // Shows the tap a burst as it was received.
  void trace_received(std::span<rte_mbuf* const> burst, const EthPort& port);
  // Shows it what the verdicts refuse, and marks the buffers of followed packets.
  void trace_verdicts();
  bool admit(rte_mbuf*& buffer, InterfaceId interface);
  void ring_bells();
  // After an empty turn: sleeps as long as may be.
  void rest();
  bool has_waiting() const;
  // Lets go every buffer that the pipeline holds, after the last turn.
  void drain();

  Settings settings_;
  Shared shared_;
  Tap tap_;
  Pipeline pipeline_;
  Sender sender_;
  Wakeups wakeups_;
  bool can_wait_ = true;  // every source of frames can wake us
  bool was_woken_ = false;
  Nap nap_;
  std::array<Packet, kBurstMax> burst_;
  Outbox outbox_;
  std::vector<Source> wires_, hosts_;
  const Policy* policy_ = nullptr;  // of this turn
  Instant now_;                     // of this turn
  size_t inside_ = 0;               // buffers that the pipeline holds
  HostPace host_pace_;
};

}  // namespace postern
