// SPDX-License-Identifier: BSD-3-Clause
// CpuLatency: how deep the processor may sleep while workers do (P10). An idle core saves more
// power the deeper its idle state is, and takes longer to leave it: some 2 us from the lightest, 50
// to 200 us from the deepest. Linux is asked by /dev/cpu_dma_latency
// (Documentation/power/pm_qos_interface.rst), for all cores of the machine; the request ends with
// the process, however that ends. The kernel goes by what its driver of idle states says of each.
// On a virtual machine that says 1 us of halting, whatever it takes until the host gives the core
// back. Thread: control.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace postern {

class CpuLatency {
 public:
  // Where it is asked, and where the driver of idle states is told.
  struct Places {
    std::string device = "/dev/cpu_dma_latency";
    std::string driver = "/sys/devices/system/cpu/cpuidle/current_driver";
  };
  CpuLatency() = default;
  explicit CpuLatency(Places places) : places_(std::move(places)) {}
  ~CpuLatency();
  CpuLatency(const CpuLatency&) = delete;
  CpuLatency& operator=(const CpuLatency&) = delete;

  // While this object lives, no idle state that takes longer to leave; 0: only one that polls.
  // Once. The error says why it may be otherwise, in one line.
  Result<void> request(uint32_t wake_us);

 private:
  bool has_driver() const;

  Places places_;
  int file_ = -1;
};

}  // namespace postern
