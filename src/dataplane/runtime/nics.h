// SPDX-License-Identifier: BSD-3-Clause
// list_nics(): the network devices of this machine and how Postern could use each (`postern
// show ports`). Reads sysfs; needs no EAL and no privileges.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace postern {

struct NicFacts {
  std::string pci_address;  // "0000:03:00.0"; empty: no PCI device (veth, bridge, ...)
  std::string pci_id;       // "8086:1572"
  std::string kernel_name;  // "enp3s0"; empty: the kernel driver is not bound
  std::string driver;       // "i40e", "vfio-pci", "veth"; empty: none
  int numa_node = -1;       // -1: unknown
  MacAddress mac;           // zero: unknown
  bool link_up = false;
  unsigned queues = 0;  // receive queues the kernel shows; 0: unknown
  // What to write behind `port:` to use it, in order of preference; empty: not usable.
  std::vector<std::string> port_specs;
  std::string remark;  // what is in the way, or what to do first; one line, may be empty
};

// How the alias of a kernel device begins that is the gateway's own side of an interface.
inline constexpr std::string_view kHostDeviceAlias = "Postern: host path of ";

// Ordered by PCI address, then by name, without the devices that a gateway made for its host
// paths. `sys`: root of sysfs.
std::vector<NicFacts> list_nics(const std::string& sys = "/sys");

}  // namespace postern
