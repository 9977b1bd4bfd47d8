// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/settings.h"

#include "control/config/resolve.h"
#include "control/listeners.h"

namespace postern::metrics {
namespace {

constexpr Ipv4Address kLoopback(0x7F000001);

}  // namespace

Settings settings_of(const config::Model& model, const Policy& policy, const DeviceOf& device_of) {
  Settings settings;
  if (!model.admin.metrics) return settings;
  const config::Metrics& metrics = *model.admin.metrics;
  if (metrics.loopback) settings.listen.push_back({"lo", kLoopback, metrics.port});
  const auto inside = listeners_of(config::listening_of(metrics), metrics.port, policy, device_of);
  settings.listen.insert(settings.listen.end(), inside.begin(), inside.end());
  // validate() has resolved them before.
  if (auto from = config::resolve_addresses(model.objects, metrics.from)) settings.from = *from;
  return settings;
}

}  // namespace postern::metrics
