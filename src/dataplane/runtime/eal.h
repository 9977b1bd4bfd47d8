// SPDX-License-Identifier: BSD-3-Clause
// eal: starts DPDK's environment once per process, quietly and side by side with other instances.
//
// The drivers are linked into the program (meson.build lists them), so that no plugin folder is
// searched and nothing is loaded that is not wanted. The calling thread stays free to run on every
// core it had; workers are threads of ours that register themselves (rte_thread_register). DPDK's
// messages go to run_dir/dpdk.log, bounded in size; the last one serves as the reason in errors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/runtime/dataplane.h"

namespace postern {

struct EalSettings {
  std::string run_dir;
  Hugepages hugepages = Hugepages::automatic;
  uint32_t memory_mib = 256;
  std::vector<std::string> pci_devices;  // addresses; empty: the PCI bus is left alone
  std::vector<std::string> extra_args;
};

// The first call starts the EAL, later ones do nothing (the settings of the first hold).
// A failure is final for the process.
Result<void> start_eal(const EalSettings& settings);
bool eal_uses_hugepages();
// The last message of DPDK or of the libraries under it, without its newline; empty: none since it
// was forgotten.
std::string last_eal_message();
void forget_eal_message();
// "reason: <last message>" or the text of the (positive) error number.
std::string eal_reason(int error);

// The arguments that start_eal() passes; `free_mib`: what the hugepages have free.
Result<std::vector<std::string>> eal_arguments(const EalSettings& settings, uint64_t free_mib);
// Free hugepages of all sizes, MiB. `sys`: root of sysfs.
uint64_t free_hugepages_mib(const std::string& sys = "/sys");
// Cores that this process may run on and DPDK can name, in order.
std::vector<uint32_t> allowed_cores();

}  // namespace postern
