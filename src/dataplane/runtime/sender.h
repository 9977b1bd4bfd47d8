// SPDX-License-Identifier: BSD-3-Clause
// Sender: carries out the verdicts of one worker: to the wire, to the kernel, to another worker, or
// back to the pool. Frames are collected per port and go out in bursts; what a full device does not
// take is counted and freed, never waited for. Thread: the worker.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "base/limits.h"
#include "dataplane/capture/tap.h"
#include "dataplane/packet/counters.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/runtime/buffers.h"
#include "dataplane/runtime/doorbell.h"
#include "dataplane/runtime/eth_port.h"

namespace postern {

// The ports of an interface; nullptr: it has none.
struct InterfacePorts {
  EthPort* wire = nullptr;
  EthPort* host = nullptr;
};
using PortTable = std::array<InterfacePorts, kInterfacesMax>;

// What a tap sees of a buffer.
inline Tap::Sight sight_of(const rte_mbuf* buffer, TracePoint point, InterfaceId interface,
                           DropReason reason = DropReason::none) {
  Tap::Sight sight;
  sight.point = point;
  sight.reason = reason;
  sight.interface = interface;
  sight.frame = rte_pktmbuf_mtod(buffer, const uint8_t*);
  sight.here = rte_pktmbuf_data_len(buffer);
  sight.length = static_cast<uint16_t>(buffer->pkt_len);
  return sight;
}

class Sender {
 public:
  struct Settings {
    WorkerId worker = 0;
    const PortTable* ports = nullptr;
    const Buffers* buffers = nullptr;
    std::span<rte_ring* const> hand_off_rings;  // by worker; with one worker unused
    std::span<Doorbell* const> bells;           // by worker; of those who may sleep
    WorkerCounters* counters = nullptr;
    Tap* tap = nullptr;
  };
  explicit Sender(const Settings& settings);

  // Does with each packet what its verdict says, and empties the outbox. Returns how many buffers
  // left the pipeline.
  size_t deliver(Outbox& outbox, const Policy* policy);
  // A complete frame to the wire of `interface`.
  void send(InterfaceId interface, rte_mbuf* frame);
  // Moves frames that other workers left for queues of this one.
  size_t empty_egress_rings();
  // Whether other workers left frames here.
  bool has_egress() const;
  // Sends what was collected, and wakes the workers that were left something.
  void flush();
  // From now on everything is freed (the worker is ending).
  void discard() { is_discarding_ = true; }

 private:
  struct Lane {
    std::array<rte_mbuf*, kBurstMax> frames;
    unsigned count = 0;
  };
  enum Side : unsigned { wire = 0, host = 1 };

  void forward(const Packet& packet, const Policy* policy);
  // What is not forwarded; returns whether its buffer left the pipeline.
  size_t keep_or_divert(Packet& packet, Verdict verdict);
  void deliver_to_host(const Packet& packet);
  void cut(const Packet& packet, uint16_t mtu, Side side);
  void hand_over(const Packet& packet, WorkerId worker);
  void put(InterfaceId interface, Side side, rte_mbuf* frame);
  void drop_at_down_port(InterfaceId interface, Side side, rte_mbuf* frame);
  void flush(InterfaceId interface, Side side);
  unsigned push(const EthPort& port, std::span<rte_mbuf*> frames);
  unsigned transmit(const EthPort& port, std::span<rte_mbuf*> frames);
  void count_drop(DropReason reason, InterfaceId interface, unsigned frames = 1);
  // Shows the tap frames on their way out, or those that did not get out.
  void trace(std::span<rte_mbuf* const> frames, TracePoint point, InterfaceId interface,
             DropReason reason = DropReason::none);
  EthPort* port_of(InterfaceId interface, Side side) const {
    if (interface >= kInterfacesMax) return nullptr;
    const InterfacePorts& ports = (*settings_.ports)[interface];
    return side == wire ? ports.wire : ports.host;
  }

  struct OwnedRing {
    const EthPort* port;
    Side side;
  };

  Settings settings_;
  std::vector<OwnedRing> owned_rings_;  // of ports whose only queue is this worker's
  bool is_discarding_ = false;
  std::array<std::array<Lane, 2>, kInterfacesMax> lanes_;
  uint64_t waiting_[2] = {0, 0};  // bit i: lanes_[i][side] has frames
  uint64_t to_wake_ = 0;          // bit i: worker i was left something
};

}  // namespace postern
