// SPDX-License-Identifier: BSD-3-Clause
// Which parts of a configuration cannot change while the gateway runs: what the ports, the workers
// and their tables were made from. Pure; thread: any.
#pragma once

#include <string>
#include <vector>

#include "control/config/model.h"

namespace postern {

// Key paths in which the two differ and that take a restart: "system.workers",
// "interfaces.wan.port".
std::vector<std::string> restart_keys(const config::Model& running, const config::Model& wanted);

}  // namespace postern
