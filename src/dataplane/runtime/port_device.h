// SPDX-License-Identifier: BSD-3-Clause
// From what the configuration calls a port to a probed DPDK device: the checks that can be made
// beforehand, the driver's arguments, and errors that name the way out. Thread: control.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "dataplane/runtime/dataplane.h"

namespace postern {

struct PortDevice {
  uint16_t id = 0;          // DPDK port
  unsigned queues_max = 1;  // queues of reception to ask for
};

// "3:00.0" and "03:00.0" become "0000:03:00.0"; empty: no PCI address.
std::string full_pci_address(const std::string& text);
// Whether the NIC exists and a driver of DPDK may have it. `sys`: root of sysfs. Before the EAL
// starts.
Result<void> check_pci_device(const std::string& address, const std::string& sys = "/sys");
// Whether this program has the driver of a vdev string. Before the EAL starts.
Result<void> check_vdev(const std::string& device);

// Each names the port by its specification ("kernel:eth1") in errors.
Result<PortDevice> find_pci_device(const std::string& address, unsigned workers);
Result<PortDevice> make_vdev(const std::string& device, unsigned workers);
Result<PortDevice> make_af_xdp(const PortSpec& spec, unsigned channels);
Result<PortDevice> make_af_packet(const PortSpec& spec);
// The kernel's side of the interface: a TAP with the given MAC address.
Result<PortDevice> make_host_device(const PortSpec& spec, const MacAddress& mac);

// PMD TAP would have the kernel raise a real-time signal for every frame and poll only after one;
// it polls always, and nobody is interrupted, when it finds no free signal. While this object
// lives, it finds none.
class NoSignalsForTap {
 public:
  NoSignalsForTap();
  ~NoSignalsForTap();
  NoSignalsForTap(const NoSignalsForTap&) = delete;
  NoSignalsForTap& operator=(const NoSignalsForTap&) = delete;

 private:
  uint64_t changed_ = 0;  // bit i: SIGRTMIN + i was at its default
};

}  // namespace postern
