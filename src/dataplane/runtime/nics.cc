// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/nics.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>

namespace postern {
namespace {

namespace fs = std::filesystem;

// Kernel drivers whose devices a driver of ours (meson.build) can take over.
constexpr std::array kKnownDrivers = {
    "atlantic", "amd-xgbe", "bnxt_en", "cxgb4", "e1000",      "e1000e", "ena",   "i40e",
    "i40evf",   "iavf",     "ice",     "igb",   "igbvf",      "igc",    "ixgbe", "ixgbevf",
    "nfp",      "ngbe",     "qede",    "txgbe", "virtio-pci", "vmxnet3"};
constexpr std::array kBoundToUs = {"vfio-pci", "uio_pci_generic", "igb_uio"};
constexpr const char* kShared = "mlx5_core";   // DPDK and the kernel use the device together
constexpr const char* kNetworkClass = "0x02";  // PCI base class
constexpr unsigned kEthernetType = 1;          // ARPHRD_ETHER

template <typename List>
bool holds(const List& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

std::string first_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::string link_name(const fs::path& link) {
  std::error_code ignored;
  return fs::read_symlink(link, ignored).filename().string();
}

unsigned entries_with(const fs::path& folder, const std::string& prefix) {
  std::error_code ignored;
  unsigned count = 0;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with(prefix)) ++count;
  }
  return count;
}

std::string without_0x(const std::string& text) {
  return text.starts_with("0x") ? text.substr(2) : text;
}

void look_at_kernel_side(const fs::path& net, NicFacts& nic) {
  nic.mac = parse_mac(first_line(net / "address")).value_or(MacAddress{});
  nic.link_up = first_line(net / "operstate") == "up" || first_line(net / "carrier") == "1";
  nic.queues = entries_with(net / "queues", "rx-");
}

// What to write behind `port:`, and what to do first.
void judge_pci(NicFacts& nic) {
  const std::string pci = "pci:" + nic.pci_address;
  if (holds(kBoundToUs, nic.driver) || nic.driver == kShared) {
    nic.port_specs.push_back(pci);
  } else if (holds(kKnownDrivers, nic.driver)) {
    nic.remark = "for " + pci + " first: prepare-host bind " + nic.pci_address;
  } else if (nic.driver.empty()) {
    nic.remark = "no driver bound; prepare-host bind " + nic.pci_address;
  } else {
    nic.remark = "DPDK has no driver for devices of " + nic.driver;
  }
  if (!nic.kernel_name.empty()) nic.port_specs.push_back("kernel:" + nic.kernel_name);
}

std::vector<NicFacts> pci_nics(const fs::path& sys) {
  std::vector<NicFacts> nics;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(sys / "bus/pci/devices", ignored)) {
    const fs::path& device = entry.path();
    if (!first_line(device / "class").starts_with(kNetworkClass)) continue;
    NicFacts nic;
    nic.pci_address = device.filename();
    nic.pci_id =
        without_0x(first_line(device / "vendor")) + ":" + without_0x(first_line(device / "device"));
    nic.driver = link_name(device / "driver");
    const std::string node = first_line(device / "numa_node");
    if (!node.empty()) nic.numa_node = std::atoi(node.c_str());
    // virtio keeps its network interface one level down.
    for (const auto& below : fs::recursive_directory_iterator(device, ignored)) {
      if (below.path().parent_path().filename() != "net") continue;
      nic.kernel_name = below.path().filename();
      look_at_kernel_side(below.path(), nic);
      break;
    }
    judge_pci(nic);
    nics.push_back(std::move(nic));
  }
  return nics;
}

// An interface without a PCI device behind it, if it carries Ethernet frames and is nobody's host
// path.
std::optional<NicFacts> kernel_nic(const fs::path& net) {
  if (std::atoi(first_line(net / "type").c_str()) != static_cast<int>(kEthernetType)) {
    return std::nullopt;
  }
  if (first_line(net / "ifalias").starts_with(kHostDeviceAlias)) return std::nullopt;
  NicFacts nic;
  nic.kernel_name = net.filename();
  nic.driver = link_name(net / "device/driver");
  if (nic.driver.empty() && fs::exists(net / "tun_flags")) nic.driver = "tun";
  if (nic.driver.empty() && fs::exists(net / "bridge")) nic.driver = "bridge";
  look_at_kernel_side(net, nic);
  if (!link_name(net / "master").empty()) {
    nic.remark = "belongs to " + link_name(net / "master");
  } else {
    nic.port_specs.push_back("kernel:" + nic.kernel_name);
  }
  return nic;
}

}  // namespace

std::vector<NicFacts> list_nics(const std::string& sys) {
  std::vector<NicFacts> nics = pci_nics(sys);
  std::vector<NicFacts> others;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(fs::path(sys) / "class/net", ignored)) {
    const std::string name = entry.path().filename();
    const auto is_it = [&](const NicFacts& nic) { return nic.kernel_name == name; };
    if (std::ranges::any_of(nics, is_it)) continue;
    if (auto nic = kernel_nic(entry.path())) others.push_back(std::move(*nic));
  }
  std::ranges::sort(nics, {}, &NicFacts::pci_address);
  std::ranges::sort(others, {}, &NicFacts::kernel_name);
  std::move(others.begin(), others.end(), std::back_inserter(nics));
  return nics;
}

}  // namespace postern
