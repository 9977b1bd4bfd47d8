// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/settings.h"

#include <algorithm>

#include "control/config/resolve.h"

namespace postern::metrics {
namespace {

constexpr Ipv4Address kLoopback(0x7F000001);

}  // namespace

Settings settings_of(const config::Model& model, const Policy& policy,
                     const std::function<std::string(InterfaceId)>& device_of) {
  Settings settings;
  if (!model.admin.metrics) return settings;
  const config::Metrics& metrics = *model.admin.metrics;
  if (metrics.loopback) settings.listen.push_back({"lo", kLoopback, metrics.port});
  for (size_t i = 0; i < policy.interfaces.size(); ++i) {
    const PolicyInterface& interface = policy.interfaces[i];
    const bool is_named = std::find(metrics.listen.begin(), metrics.listen.end(), interface.name) !=
                          metrics.listen.end();
    if (!interface.exists || !is_named || interface.zone == Zone::external) continue;
    const std::string device = device_of(static_cast<InterfaceId>(i));
    if (device.empty()) continue;
    for (const Prefix& own : interface.addresses)
      settings.listen.push_back({device, own.address, metrics.port});
  }
  // validate() has resolved them before.
  if (auto from = config::resolve_addresses(model.objects, metrics.from)) settings.from = *from;
  return settings;
}

}  // namespace postern::metrics
