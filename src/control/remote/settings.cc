// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/settings.h"

#include <algorithm>

#include "control/config/resolve.h"

namespace postern::remote {
namespace {

bool listens(const config::AdminRemote& remote, const PolicyInterface& interface) {
  if (!interface.exists) return false;
  if (remote.listen.empty()) return interface.zone == Zone::internal;
  return std::ranges::find(remote.listen, interface.name) != remote.listen.end();
}

}  // namespace

Settings settings_of(const config::Model& model, const Policy& policy,
                     const std::function<std::string(InterfaceId)>& device_of) {
  Settings settings;
  if (!model.admin.remote || !model.admin.remote->enabled) return settings;
  const config::AdminRemote& remote = *model.admin.remote;
  settings.idle = remote.idle;
  if (!remote.from.empty()) {
    auto ranges = config::resolve_addresses(model.objects, remote.from);
    // Names were checked. Should none be left, it is nobody, not everybody.
    if (!ranges || ranges->empty()) return settings;
    settings.from = std::move(*ranges);
  }
  for (size_t i = 0; i < policy.interfaces.size(); ++i) {
    const PolicyInterface& interface = policy.interfaces[i];
    if (!listens(remote, interface)) continue;
    std::string device = device_of(static_cast<InterfaceId>(i));
    if (device.empty()) continue;
    for (const Prefix& own : interface.addresses)
      settings.listen.push_back({device, own.address, remote.port});
  }
  return settings;
}

}  // namespace postern::remote
