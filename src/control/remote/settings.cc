// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/settings.h"

#include <utility>

#include "control/config/resolve.h"

namespace postern::remote {
Settings settings_of(const config::Model& model, const Policy& policy, const DeviceOf& device_of) {
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
  settings.listen = listeners_of(config::listening_of(remote), remote.port, policy, device_of);
  return settings;
}

}  // namespace postern::remote
