// SPDX-License-Identifier: BSD-3-Clause
// What the DHCP server and the DHCP clients of the gateway live in. Thread: control.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/limits.h"
#include "base/time.h"
#include "control/log/dial_log.h"
#include "dataplane/policy/policy.h"

namespace postern {

struct DhcpWorld {
  std::string lease_file;
  std::function<Instant()> now;
  std::function<std::string(InterfaceId)> device_of;
  std::function<bool(InterfaceId, std::span<const uint8_t>)> send_frame;
  std::function<void(const std::string&)> remark;
  std::function<void(InterfaceId, const AddressChange&)> address;  // of our own interfaces
};

}  // namespace postern
