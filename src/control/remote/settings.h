// SPDX-License-Identifier: BSD-3-Clause
// admin.remote of a configuration -> where to listen and whom to hear. Pure; thread: control.
#pragma once

#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "control/config/model.h"
#include "control/listeners.h"
#include "dataplane/policy/policy.h"
#include "services/io/listen_address.h"

namespace postern::remote {

struct Settings {
  // An address of ours and the kernel device of its interface.
  std::vector<io::ListenAddress> listen;
  std::vector<AddressRange> from;  // sorted; empty: any
  Duration idle;
  bool operator==(const Settings&) const = default;
};

// Without admin.remote, or where it is disabled: nothing to listen on.
Settings settings_of(const config::Model& model, const Policy& policy, const DeviceOf& device_of);

}  // namespace postern::remote
