// SPDX-License-Identifier: BSD-3-Clause
// Traffic: the scene's flows over the two ports, on the calling thread.
//
//   inside port --> device under test --> outside port: counted, and with `both_ways` sent back
//   inside port <-- device under test <-- outside port: counted
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "bench/common/flow.h"
#include "bench/wire/ports.h"
#include "bench/wire/slices.h"

namespace postern::bench {

struct Counts {
  uint64_t sent = 0, returned = 0;  // taken by the rings
  uint64_t out = 0, back = 0;       // came out outside, inside
  uint64_t offers = 0, cut = 0;     // bursts offered to the ring, and not taken whole
  uint64_t checked = 0, wrong = 0;  // of those looked at: not as they should be
};

class Traffic {
 public:
  // `translates`: the device does what the scene says. Else (testpmd) frames are only counted.
  Traffic(Ports& ports, uint32_t flows, unsigned bytes, bool translates);

  // Sends every flow once, few at a time, and again those that did not come out: sessions open.
  // Learns the external endpoints and checks every packet, and that no two flows share one.
  // Returns how many came out.
  uint32_t open_all();
  // Sends some flows again, in both directions, and checks that nothing about them has changed.
  // Returns how many came back.
  uint32_t verify(uint32_t count);
  // As fast as the rings take them.
  Counts flood(double seconds, bool both_ways, Slices& slices);
  const Counts& counts() const { return counts_; }  // of the last call

 private:
  unsigned send_numbered(uint32_t first, unsigned count);  // how many the ring took
  unsigned receive_numbered(bool both_ways);
  void check_out(const uint8_t* frame, unsigned length, uint32_t number);
  void check_back(const uint8_t* frame, unsigned length, uint32_t number);
  void send_some();
  void receive(uint16_t port, bool both_ways);
  void look_at(rte_mbuf* buffer, uint16_t port);
  uint32_t count_shared() const;

  Ports& ports_;
  FrameWriter writer_;
  bool translates_;
  std::vector<Flow> flows_;    // by number; external endpoints as learned
  std::vector<Stamp> stamps_;  // in the order of sending
  size_t next_ = 0;
  std::array<rte_mbuf*, kGeneratorBurst> kept_;  // made, and not taken by the ring yet
  unsigned kept_count_ = 0;
  uint64_t bursts_ = 0;
  Counts counts_;
};

}  // namespace postern::bench
