// SPDX-License-Identifier: BSD-3-Clause
// RingWire: a DPDK port made of rings whose far side a test holds: what it puts in is received by
// the program, what the program transmits it takes out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

struct rte_mbuf;
struct rte_ring;

namespace postern::test {

class RingWire {
 public:
  // `queues` both ways. The EAL must have been started (start_test_eal).
  RingWire(const std::string& name, unsigned queues);
  ~RingWire();
  RingWire(const RingWire&) = delete;
  RingWire& operator=(const RingWire&) = delete;

  // What to write behind "vdev:".
  std::string device() const { return "net_ring_" + name_; }
  void put(unsigned queue, std::span<const uint8_t> frame);
  // The frame in pieces of at most `piece` bytes, chained (multi-segment).
  void put_in_pieces(unsigned queue, std::span<const uint8_t> frame, uint16_t piece);
  // As if the device had taken a VLAN tag off.
  void put_untagged(unsigned queue, std::span<const uint8_t> frame, uint16_t tag);
  // All that has left so far, by any queue.
  std::vector<std::vector<uint8_t>> take();
  bool is_drained() const;  // nothing waits to be received

 private:
  void enqueue(unsigned queue, rte_mbuf* frame);

  std::string name_;
  std::vector<rte_ring*> to_program_, from_program_;
};

// Starts the EAL for tests: no hugepages, no privileges, no files.
void start_test_eal();
// Frames of tests that are not back yet.
unsigned test_frames_in_use();

}  // namespace postern::test
