// SPDX-License-Identifier: BSD-3-Clause
// admin.metrics as typed data; see model.h for how it comes to be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace postern::config {

struct Metrics {
  bool loopback = true;             // to programs on the gateway itself
  std::vector<std::string> listen;  // interfaces; none of zone external
  uint16_t port = 9342;
  std::vector<std::string> from;  // address items: who may ask by an interface
  bool operator==(const Metrics&) const = default;
};

}  // namespace postern::config
