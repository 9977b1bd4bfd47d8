// SPDX-License-Identifier: BSD-3-Clause
#include "control/listeners.h"

namespace postern {
namespace {

config::Zone zone_of(const PolicyInterface& interface) {
  switch (interface.zone) {
    case Zone::external:
      return config::Zone::external;
    case Zone::internal:
      return config::Zone::internal;
    case Zone::dmz:
      return config::Zone::dmz;
  }
  return config::Zone::external;
}

}  // namespace

std::vector<io::ListenAddress> listeners_of(const config::Listening& listening, uint16_t port,
                                            const Policy& policy, const DeviceOf& device_of) {
  std::vector<io::ListenAddress> listeners;
  for (size_t i = 0; i < policy.interfaces.size(); ++i) {
    const PolicyInterface& interface = policy.interfaces[i];
    if (!interface.exists) continue;
    if (!listens_on(listening, interface.name, zone_of(interface))) continue;
    const std::string device = device_of(static_cast<InterfaceId>(i));
    if (device.empty()) continue;
    for (const Prefix& own : interface.addresses)
      listeners.push_back({device, own.address, port});
  }
  return listeners;
}

}  // namespace postern
