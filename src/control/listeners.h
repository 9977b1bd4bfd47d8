// SPDX-License-Identifier: BSD-3-Clause
// listeners_of(): the addresses at which a service hears its clients, each with the kernel device
// of its interface. An interface without a device is left out. Pure; thread: control.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "control/config/listening.h"
#include "dataplane/policy/policy.h"
#include "services/io/listen_address.h"

namespace postern {

// "": it has none now.
using DeviceOf = std::function<std::string(InterfaceId)>;

std::vector<io::ListenAddress> listeners_of(const config::Listening& listening, uint16_t port,
                                            const Policy& policy, const DeviceOf& device_of);

}  // namespace postern
