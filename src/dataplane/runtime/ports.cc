// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/ports.h"

#include <algorithm>
#include <set>

#include "dataplane/runtime/port_device.h"

namespace postern {
namespace {

constexpr uint16_t kWireDescriptors = 1024;
constexpr uint16_t kXdpDescriptors = 2048;  // as many as the driver gives the kernel to fill
constexpr uint16_t kHostDescriptors = 256;
constexpr size_t kDeviceNameMax = 15;  // IFNAMSIZ without the zero

Error missing(const PortSpec& spec, const std::string& what) {
  return Error{ErrorCode::invalid, "interfaces." + spec.name + ": " + what};
}

Result<void> check_port(const PortSpec& spec) {
  if (spec.id >= kInterfacesMax) return missing(spec, "more interfaces than DPDK has ports");
  if (spec.mtu < kMtuMin || spec.mtu > kMtuMax) return missing(spec, "mtu out of range");
  if (spec.host_path && (spec.host_device.empty() || spec.host_device.size() > kDeviceNameMax)) {
    return missing(spec,
                   "host device name '" + spec.host_device + "' must have 1 to 15 characters");
  }
  switch (spec.kind) {
    case PortKind::pci:
      return check_pci_device(spec.device);
    case PortKind::vdev:
      return check_vdev(spec.device);
    case PortKind::kernel:
      if (NetDevice(spec.device).exists()) return {};
      return Error{ErrorCode::not_found,
                   "kernel:" + spec.device +
                       ": the kernel has no such interface; `postern show ports` lists them"};
  }
  return {};
}

}  // namespace

Result<void> check_ports(const std::vector<PortSpec>& ports) {
  std::set<std::string> devices;
  std::set<InterfaceId> ids;
  for (const PortSpec& spec : ports) {
    if (auto checked = check_port(spec); !checked) return checked;
    if (!ids.insert(spec.id).second) return missing(spec, "its id is taken");
    if (!devices.insert(spec.device).second) {
      return missing(spec, spec.device + " is the port of another interface already");
    }
    if (spec.host_path && !devices.insert(spec.host_device).second) {
      return missing(spec, "host device " + spec.host_device + " is in use already");
    }
  }
  return {};
}

EthPort::Settings Ports::settings_for(const PortSpec& spec, bool is_host, unsigned queues) const {
  EthPort::Settings settings;
  settings.label = "interfaces." + spec.name + (is_host ? " (host path)" : "");
  settings.interface = spec.id;
  settings.is_host = is_host;
  settings.mtu = spec.mtu;
  settings.workers = settings_.workers;
  settings.queues_max = queues;
  settings.descriptors = is_host ? kHostDescriptors : kWireDescriptors;
  settings.sets_mtu = !is_host;  // PMD TAP refuses what its device carries
  if (is_host) return settings;  // host paths are worker 0's
  settings.is_outside = spec.zone == Zone::external;
  settings.mac = spec.mac;
  settings.owner = static_cast<WorkerId>(spec.id % settings_.workers);
  return settings;
}

Result<void> Ports::open_kernel(const PortSpec& spec, Wire& wire, bool by_xdp) {
  auto device = by_xdp ? make_af_xdp(spec, wire.kernel->device().channels()) : make_af_packet(spec);
  if (!device) return std::move(device).error();
  auto settings = settings_for(spec, false, device->queues_max);
  settings.sets_mtu = false;
  if (by_xdp) settings.descriptors = kXdpDescriptors;
  wire.port = std::make_unique<EthPort>(device->id, settings);
  return wire.port->plan();
}

Result<void> Ports::open_wire(const PortSpec& spec, Wire& wire) {
  if (spec.kind != PortKind::kernel) {
    auto device = spec.kind == PortKind::pci ? find_pci_device(spec.device, settings_.workers)
                                             : make_vdev(spec.device, settings_.workers);
    if (!device) return std::move(device).error();
    wire.port =
        std::make_unique<EthPort>(device->id, settings_for(spec, false, device->queues_max));
    return wire.port->plan();
  }
  auto kernel = KernelPort::take(spec.device, settings_.run_dir);
  if (!kernel) return std::move(kernel).error();
  wire.kernel = std::move(*kernel);
  // AF_XDP binds to interfaces that are up only.
  if (auto up = wire.kernel->bring_up(spec.mtu); !up) return up;
  if (spec.driver != KernelDriver::af_packet) {
    auto opened = open_kernel(spec, wire, true);
    if (opened || spec.driver == KernelDriver::af_xdp) return opened;
    remarks_.push_back(opened.error().text + "; AF_PACKET is used instead");
    wire.port.reset();
  }
  return open_kernel(spec, wire, false);
}

Result<void> Ports::configure_wire(const PortSpec& spec, Wire& wire) {
  auto configured = wire.port->configure(buffers_);
  const bool may_fall_back = spec.kind == PortKind::kernel &&
                             spec.driver == KernelDriver::automatic &&
                             wire.port->driver() == "net_af_xdp";
  if (configured || !may_fall_back) return configured;
  // The kernel refuses AF_XDP sockets only when the queues are made.
  remarks_.push_back(configured.error().text + "; AF_PACKET is used instead");
  wire.port.reset();
  if (auto opened = open_kernel(spec, wire, false); !opened) return opened;
  return wire.port->configure(buffers_);
}

void Ports::choose_shards() {
  unsigned count = Shards::kCountMax;
  for (const Wire& wire : wires_) {
    const unsigned size = wire.port->spreader().table_size();
    if (size != 0) count = std::min(count, size);
  }
  shards_ = Shards(settings_.workers, count);
}

Result<void> Ports::allocate_buffers() {
  Buffers::Need need;
  need.memory_mib = settings_.memory_mib;
  const unsigned workers = settings_.workers * worker_buffers(settings_.workers);
  for (size_t i = 0; i < wires_.size(); ++i) {
    const PortSpec& spec = settings_.ports[i];
    // The host path has rings of its own for frames of the same size; its queue is one worker's.
    const unsigned egress = settings_.workers > 1 ? kEgressRing : 0;
    const unsigned host = spec.host_path ? kHostDescriptors * 2 + egress : 0;
    const unsigned ports = wires_[i].port->buffers_needed() + host;
    (spec.mtu <= kSmallMtuMax ? need.small : need.jumbo) += ports;
    need.mtu_max = std::max(need.mtu_max, spec.mtu);
  }
  need.small += workers;
  if (need.jumbo != 0) need.jumbo += workers;
  return buffers_.allocate(need);
}

Result<void> Ports::open_host(const PortSpec& spec) {
  auto device = spec.host_vdev.empty() ? make_host_device(spec, table_[spec.id].wire->mac())
                                       : make_vdev(spec.host_vdev, 1);
  if (!device) return std::move(device).error();
  hosts_.push_back(std::make_unique<EthPort>(device->id, settings_for(spec, true, 1)));
  EthPort& port = *hosts_.back();
  if (auto planned = port.plan(); !planned) return planned;
  if (auto configured = port.configure(buffers_); !configured) return configured;
  table_[spec.id].host = &port;
  return {};
}

Result<void> Ports::open(const DataplaneSettings& settings) {
  settings_ = settings;
  const NoSignalsForTap no_signals;
  wires_.resize(settings_.ports.size());
  for (size_t i = 0; i < wires_.size(); ++i) {
    if (auto opened = open_wire(settings_.ports[i], wires_[i]); !opened) return opened;
  }
  choose_shards();
  if (auto allocated = allocate_buffers(); !allocated) return allocated;
  for (size_t i = 0; i < wires_.size(); ++i) {
    const PortSpec& spec = settings_.ports[i];
    if (auto configured = configure_wire(spec, wires_[i]); !configured) return configured;
    table_[spec.id].wire = wires_[i].port.get();
    if (!spec.host_path) continue;
    if (auto opened = open_host(spec); !opened) return opened;
  }
  return {};
}

Result<void> Ports::start() {
  for (Wire& wire : wires_) {
    if (auto started = wire.port->start(shards_); !started) return started;
  }
  for (auto& host : hosts_) {
    if (auto started = host->start(shards_); !started) return started;
  }
  return {};
}

void Ports::close() {
  for (Wire& wire : wires_) {
    if (wire.port) wire.port->stop();
  }
  table_ = {};
  hosts_.clear();
  // Each port is gone before its kernel interface gets its addresses back.
  wires_.clear();
}

}  // namespace postern
