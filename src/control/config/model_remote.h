// SPDX-License-Identifier: BSD-3-Clause
// admin.remote as typed data; see model.h for how it comes to be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace postern::config {

struct AdminRemote {
  bool enabled = true;
  std::vector<std::string> listen;  // interfaces; empty: those of the zone internal
  uint16_t port = 44333;
  std::vector<std::string> from;  // address items; empty: any, which no external interface may
  Duration idle = seconds(300);   // without a request
  bool operator==(const AdminRemote&) const = default;
};

}  // namespace postern::config
