// SPDX-License-Identifier: BSD-3-Clause
// EthPort: one DPDK port, be it a wire or the kernel's side of an interface (host path).
//
//   queue q of reception    is polled by one worker (receiver_of)
//   queue w of transmission belongs to worker w; where the device has fewer queues than there are
//                           workers, one worker owns queue 0 and empties `egress_ring`, into which
//                           the others put their frames
//
// Threads: control opens, starts, stops; receive() and transmit() belong to the queue's worker and
// touch the device only while it is started.
#pragma once

#include <rte_ethdev.h>
#include <rte_ring.h>

#include <atomic>
#include <optional>
#include <span>
#include <string>

#include "base/address.h"
#include "base/result.h"
#include "dataplane/packet/packet.h"
#include "dataplane/runtime/dataplane.h"
#include "dataplane/runtime/spread.h"

namespace postern {

class Buffers;

constexpr unsigned kEgressRing = 1024;  // frames on the way to the queue of another worker

class EthPort {
 public:
  struct Settings {
    std::string label;  // for messages: "wan", "wan host path"
    InterfaceId interface = 0;
    bool is_host = false;
    uint16_t mtu = 1500;
    bool sets_mtu = true;  // false: the device has it already (kernel interfaces)
    std::optional<MacAddress> mac;
    bool is_outside = false;  // in an external zone
    unsigned workers = 1;
    unsigned queues_max = 1;      // queues of reception that make sense here
    uint16_t descriptors = 1024;  // wanted, a queue
    WorkerId owner = 0;           // worker of a lone queue, be it of reception or transmission
  };

  // Takes over the probed device `id`; it is closed and removed with this object.
  EthPort(uint16_t id, const Settings& settings);
  ~EthPort();
  EthPort(const EthPort&) = delete;
  EthPort& operator=(const EthPort&) = delete;

  // Step 1: how many queues and descriptors; tells what buffers it may hold at the same time.
  Result<void> plan();
  unsigned buffers_needed() const;
  // Step 2: queues on the device, MTU, MAC address.
  Result<void> configure(const Buffers& buffers);
  Result<void> start(const Shards& shards);
  void stop();

  // --- facts
  InterfaceId interface() const { return settings_.interface; }
  const std::string& label() const { return settings_.label; }
  bool is_host() const { return settings_.is_host; }
  bool is_started() const { return started_.load(std::memory_order_acquire); }
  uint16_t mtu() const { return settings_.mtu; }
  unsigned rx_queues() const { return rx_queues_; }
  unsigned tx_queues() const { return tx_queues_; }
  MacAddress mac() const { return mac_; }
  const std::string& driver() const { return driver_; }
  // The kernel's interface that the driver gets its frames from; 0: none, or not by a descriptor.
  unsigned kernel_index() const;
  WorkerId owner() const { return settings_.owner; }
  const Spreader& spreader() const { return spreader_; }
  uint32_t link_mbps(bool& is_up) const;
  DriverStatistics statistics() const;

  // --- thread: the worker
  WorkerId receiver_of(unsigned queue) const;
  bool may_transmit(WorkerId worker) const {
    return egress_ring_ == nullptr || worker == settings_.owner;
  }
  rte_ring* egress_ring() const { return egress_ring_; }  // nullptr: every worker may transmit
  uint16_t receive(unsigned queue, std::span<rte_mbuf*> out) const {
    return rte_eth_rx_burst(id_, static_cast<uint16_t>(queue), out.data(),
                            static_cast<uint16_t>(out.size()));
  }
  uint16_t transmit(WorkerId worker, std::span<rte_mbuf*> frames) const {
    const uint16_t queue = egress_ring_ != nullptr ? 0 : worker;
    return rte_eth_tx_burst(id_, queue, frames.data(), static_cast<uint16_t>(frames.size()));
  }

 private:
  Error failed(const std::string& what, int error) const;
  Result<void> set_up_queues(const Buffers& buffers);
  // What the device is told: never less than usual, so that neighbors may send what they are used
  // to; a smaller MTU is the pipeline's to keep.
  uint16_t device_mtu() const;
  Result<void> set_mtu();
  Result<void> set_mac();

  uint16_t id_;
  Settings settings_;
  rte_eth_dev_info info_ = {};
  std::string driver_;
  MacAddress mac_;
  unsigned rx_queues_ = 1, tx_queues_ = 1;
  uint16_t rx_descriptors_ = 0, tx_descriptors_ = 0;
  rte_ring* egress_ring_ = nullptr;
  Spreader spreader_;
  std::atomic<bool> started_{false};  // control: write, workers: read
};

}  // namespace postern
