// SPDX-License-Identifier: BSD-3-Clause
// admin.metrics of the configuration -> what the server of the metrics takes. Pure.
#pragma once

#include "control/config/model.h"
#include "control/listeners.h"
#include "control/metrics/server.h"
#include "dataplane/policy/policy.h"

namespace postern::metrics {

// `device_of` gives the host device of an interface, or "": then it is not listened on. Interfaces
// of zone external never are. Without admin.metrics there is nothing.
Settings settings_of(const config::Model& model, const Policy& policy, const DeviceOf& device_of);

}  // namespace postern::metrics
