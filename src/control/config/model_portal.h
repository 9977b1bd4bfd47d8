// SPDX-License-Identifier: BSD-3-Clause
// services.portal as typed data: where people log in, and for how long (F27); see model.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace postern::config {

struct Portal {
  bool enabled = true;
  std::vector<std::string> listen;  // interfaces; empty: those of the zones internal and dmz
  uint16_t port = 443;
  std::string certificate;                // file, PEM, with its chain; empty: the gateway makes one
  std::string key;                        // file, PEM
  Duration idle_timeout = seconds(1800);  // 0: none, as below
  Duration absolute_timeout = seconds(43'200);
  Duration heartbeat;
  bool operator==(const Portal&) const = default;
};

}  // namespace postern::config
