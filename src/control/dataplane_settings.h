// SPDX-License-Identifier: BSD-3-Clause
// What the dataplane is made from, out of the configuration. Thread: any; but for the seeds pure.
#pragma once

#include <string>

#include "control/config/model.h"
#include "dataplane/runtime/dataplane.h"

namespace postern {

// Seeds come from libsodium's generator.
DataplaneSettings dataplane_settings(const config::Model& model, const std::string& run_dir);

// The kernel device of an interface: as configured, else "gw-" and its name.
std::string host_device_name(const config::Interface& interface);

}  // namespace postern
