// SPDX-License-Identifier: BSD-3-Clause
#include "control/dataplane_settings.h"

#include <sodium.h>

#include "base/assert.h"

namespace postern {
namespace {

PortKind kind_of(config::PortKind kind) {
  switch (kind) {
    case config::PortKind::pci:
      return PortKind::pci;
    case config::PortKind::kernel:
      return PortKind::kernel;
    case config::PortKind::vdev:
      return PortKind::vdev;
  }
  return PortKind::kernel;
}

KernelDriver driver_of(config::KernelDriver driver) {
  switch (driver) {
    case config::KernelDriver::automatic:
      return KernelDriver::automatic;
    case config::KernelDriver::af_xdp:
      return KernelDriver::af_xdp;
    case config::KernelDriver::af_packet:
      return KernelDriver::af_packet;
  }
  return KernelDriver::automatic;
}

Hugepages hugepages_of(config::HugepageMode mode) {
  switch (mode) {
    case config::HugepageMode::automatic:
      return Hugepages::automatic;
    case config::HugepageMode::off:
      return Hugepages::off;
    case config::HugepageMode::required:
      return Hugepages::required;
  }
  return Hugepages::automatic;
}

}  // namespace

DataplaneSettings dataplane_settings(const config::Model& model, const std::string& run_dir) {
  POSTERN_ASSERT(sodium_init() >= 0);
  const config::System& system = model.system;
  DataplaneSettings settings;
  settings.workers = system.workers.count;
  settings.cores = system.workers.cores;
  settings.idle = system.workers.idle == config::IdleMode::poll ? Idle::poll : Idle::sleep;
  settings.wake_us = system.workers.wake_us;
  settings.hugepages = hugepages_of(system.memory.hugepages);
  settings.memory_mib = system.memory.mib;
  settings.eal_args = system.eal_args;
  settings.run_dir = run_dir;
  settings.sessions = system.limits.sessions;
  settings.mappings = system.limits.mappings;
  settings.hosts = system.limits.hosts;
  settings.sessions_from_host = system.limits.sessions_from_host;
  settings.sessions_to_host = system.limits.sessions_to_host;
  randombytes_buf(&settings.hash_seed, sizeof settings.hash_seed);
  randombytes_buf(&settings.random_seed, sizeof settings.random_seed);
  for (size_t i = 0; i < model.interfaces.size(); ++i) {
    const config::Interface& interface = model.interfaces[i];
    if (!interface.enabled) continue;
    PortSpec port;
    port.id = static_cast<InterfaceId>(i);
    port.name = interface.name;
    port.kind = kind_of(interface.port.kind);
    port.device = interface.port.name;
    port.driver = driver_of(interface.port.driver);
    port.zone = interface.zone == config::Zone::external ? Zone::external : Zone::internal;
    port.mtu = static_cast<uint16_t>(interface.mtu);
    port.mac = interface.mac;
    port.host_device = host_device_name(interface);
    settings.ports.push_back(std::move(port));
  }
  return settings;
}

std::string host_device_name(const config::Interface& interface) {
  return interface.host_device.empty() ? "gw-" + interface.name : interface.host_device;
}

}  // namespace postern
