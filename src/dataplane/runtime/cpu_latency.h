// SPDX-License-Identifier: BSD-3-Clause
// CpuLatency: how deep the processor may sleep while workers do. An idle core saves more power the
// deeper its idle state is, and takes longer to leave it: some 2 us from the lightest, 50 to 200 us
// from the deepest, and as long on a virtual machine, where halting means to be taken off the core.
// Linux is asked by /dev/cpu_dma_latency (Documentation/power/pm_qos_interface.rst), for all cores;
// the request ends with the process, however that ends. Thread: control.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace postern {

class CpuLatency {
 public:
  CpuLatency() = default;
  ~CpuLatency();
  CpuLatency(const CpuLatency&) = delete;
  CpuLatency& operator=(const CpuLatency&) = delete;

  // While this object lives, no idle state that takes longer to leave; 0: cores do not halt at all.
  Result<void> request(uint32_t wake_us);

 private:
  int file_ = -1;
};

}  // namespace postern
