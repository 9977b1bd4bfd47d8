// SPDX-License-Identifier: BSD-3-Clause
// The generator's two ports: memif servers, so that the device under test owns the packet memory
// and the generator pays for both copies.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <string>

#include "bench/common/flow.h"

namespace postern::bench {

constexpr unsigned kGeneratorBurst = 64;

class Ports {
 public:
  static constexpr uint16_t kInside = 0, kOutside = 1;

  // Starts DPDK and both ports, sockets in `directory`; ends the process with a message when it
  // cannot. The calling thread stays on its core.
  Ports(const std::string& directory, unsigned core);

  bool wait_for_links(double seconds) const;
  // Makes all buffers for sending frames of this writer, stamps apart. None is in use.
  void prepare(const FrameWriter& writer);
  // Buffers for sending; 0 or all of them.
  unsigned take(rte_mbuf** buffers, unsigned count);

 private:
  rte_mempool* sending_ = nullptr;
  rte_mempool* receiving_ = nullptr;
};

inline uint8_t* frame_of(rte_mbuf* buffer) {
  return rte_pktmbuf_mtod(buffer, uint8_t*);
}

}  // namespace postern::bench
