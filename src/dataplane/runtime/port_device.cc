// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/port_device.h"

#include <linux/capability.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>

#include "dataplane/runtime/buffers.h"
#include "dataplane/runtime/eal.h"
#include "dataplane/runtime/net_device.h"
#include "dataplane/runtime/netlink.h"
#include "dataplane/runtime/nics.h"

namespace postern {
namespace {

// Virtual drivers that are linked in (meson.build).
constexpr std::array kVirtualDrivers = {"net_af_packet", "net_af_xdp",     "net_memif",
                                        "net_null",      "net_pcap",       "net_ring",
                                        "net_tap",       "net_virtio_user"};
// Kernel drivers under which DPDK reaches a PCI device; mlx5 shares it with the kernel.
constexpr std::array kOpenDrivers = {"vfio-pci", "uio_pci_generic", "igb_uio", "mlx5_core"};

constexpr unsigned kPacketFrames = 1024;  // of an AF_PACKET ring

std::string virtual_driver_of(const std::string& name) {
  for (const std::string driver : kVirtualDrivers) {
    const std::string rest = name.starts_with(driver) ? name.substr(driver.size()) : "-";
    if (rest.empty() || rest.front() == '_' || std::isdigit(rest.front()) != 0) return driver;
  }
  return {};
}

Result<uint16_t> probe(const std::string& bus, const std::string& name,
                       const std::string& arguments) {
  uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) == 0) return id;
  forget_eal_message();
  const int error = rte_eal_hotplug_add(bus.c_str(), name.c_str(), arguments.c_str());
  if (error != 0) return Error{ErrorCode::failed, eal_reason(-error)};
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) == 0) return id;
  return Error{ErrorCode::failed, "the driver made no network port"};
}

Error probe_failed(const std::string& spec, Error error) {
  return std::move(error).within(spec);
}

}  // namespace

std::string full_pci_address(const std::string& text) {
  rte_pci_addr address = {};
  if (rte_pci_addr_parse(text.c_str(), &address) != 0) return {};
  char full[PCI_PRI_STR_SIZE];
  rte_pci_device_name(&address, full, sizeof full);
  return full;
}

Result<void> check_pci_device(const std::string& address, const std::string& sys) {
  const std::string spec = "pci:" + address;
  const std::string full = full_pci_address(address);
  if (full.empty()) {
    return Error{ErrorCode::invalid, spec + ": no PCI address, expected 0000:03:00.0"};
  }
  const std::filesystem::path device = sys + "/bus/pci/devices/" + full;
  std::error_code error;
  if (!std::filesystem::exists(device, error)) {
    return Error{ErrorCode::not_found,
                 spec + ": this machine has no such device; `postern show ports` lists them"};
  }
  const std::string bind = "prepare-host bind " + full;
  const auto driver = std::filesystem::read_symlink(device / "driver", error).filename().string();
  if (driver.empty()) {
    return Error{ErrorCode::unavailable, spec + ": bound to no driver; run: " + bind};
  }
  if (std::ranges::count(kOpenDrivers, driver) == 0) {
    return Error{ErrorCode::unavailable,
                 spec + ": the kernel driver " + driver + " has it; run: " + bind};
  }
  return {};
}

Result<void> check_vdev(const std::string& device) {
  const std::string name = device.substr(0, device.find(','));
  if (!virtual_driver_of(name).empty()) return {};
  std::string known;
  for (const char* driver : kVirtualDrivers)
    known += std::string(known.empty() ? "" : ", ") + driver;
  return Error{ErrorCode::invalid,
               "vdev:" + device + ": no driver is called " + name + "; there are " + known};
}

Result<PortDevice> find_pci_device(const std::string& address, unsigned workers) {
  const std::string full = full_pci_address(address);
  uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(full.c_str(), &id) == 0) return PortDevice{id, workers};
  return Error{ErrorCode::failed, "pci:" + address +
                                      ": DPDK did not take the device (no driver for it, or no "
                                      "access to /dev/vfio): " +
                                      eal_reason(0)};
}

Result<PortDevice> make_vdev(const std::string& device, unsigned workers) {
  const size_t comma = device.find(',');
  const std::string name = device.substr(0, comma);
  const std::string arguments = comma == std::string::npos ? "" : device.substr(comma + 1);
  auto id = probe("vdev", name, arguments);
  if (!id) return probe_failed("vdev:" + device, std::move(id).error());
  return PortDevice{*id, workers};
}

Result<PortDevice> make_af_xdp(const PortSpec& spec, unsigned channels) {
  const std::string name = "net_af_xdp" + std::to_string(spec.id);
  if (spec.mtu > kSmallMtuMax) {
    return Error{ErrorCode::invalid, "kernel:" + spec.device + ": AF_XDP carries an mtu up to " +
                                         std::to_string(kSmallMtuMax)};
  }
  auto id =
      probe("vdev", name,
            "iface=" + spec.device + ",start_queue=0,queue_count=" + std::to_string(channels));
  if (!id) return probe_failed("kernel:" + spec.device + " by AF_XDP", std::move(id).error());
  return PortDevice{*id, channels};
}

Result<PortDevice> make_af_packet(const PortSpec& spec) {
  const std::string name = "net_af_packet" + std::to_string(spec.id);
  const uint32_t slot = packet_slot(spec.mtu);
  // One pair of queues: dealing frames out to more is switched off (packet_fanout.cc).
  const std::string arguments = "iface=" + spec.device +
                                ",qpairs=1,framesz=" + std::to_string(slot) +
                                ",blocksz=" + std::to_string(slot * kSlotsInBlock) +
                                ",framecnt=" + std::to_string(kPacketFrames);
  auto id = probe("vdev", name, arguments);
  if (!id) return probe_failed("kernel:" + spec.device + " by AF_PACKET", std::move(id).error());
  return PortDevice{*id, 1};
}

Result<PortDevice> make_host_device(const PortSpec& spec, const MacAddress& mac) {
  const std::string context = spec.name + ": host path " + spec.host_device;
  if (!has_capability(CAP_NET_ADMIN)) {
    return Error{ErrorCode::denied, context +
                                        ": needs the capability NET_ADMIN; run as root or by "
                                        "the systemd unit"};
  }
  if (access("/dev/net/tun", R_OK | W_OK) != 0) {
    return Error{ErrorCode::unavailable,
                 context + ": no access to /dev/net/tun; run: modprobe tun"};
  }
  // A device of ours ends with its process, so as a rule another posternd lives behind the name.
  if (NetDevice(spec.host_device).exists()) {
    return Error{ErrorCode::failed, context +
                                        ": an interface of this name exists already: end the "
                                        "posternd that has it, or choose another host_device"};
  }
  auto id = probe("vdev", "net_tap" + std::to_string(spec.id),
                  "iface=" + spec.host_device + ",mac=" + to_text(mac));
  if (!id) return probe_failed(context, std::move(id).error());
  const NetDevice device(spec.host_device);
  device.set_mtu(spec.mtu);
  Netlink().set_alias(device.index(), std::string(kHostDeviceAlias) + spec.name);
  return PortDevice{*id, 1};
}

NoSignalsForTap::NoSignalsForTap() {
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) {
    struct sigaction action = {};
    if (sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    action.sa_handler = SIG_IGN;
    if (sigaction(signal, &action, nullptr) == 0) changed_ |= uint64_t{1} << (signal - SIGRTMIN);
  }
}

NoSignalsForTap::~NoSignalsForTap() {
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) {
    if ((changed_ >> (signal - SIGRTMIN) & 1) == 0) continue;
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
  }
}

}  // namespace postern
