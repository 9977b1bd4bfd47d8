// SPDX-License-Identifier: BSD-3-Clause
// Durations as services take them. Pure.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace postern {

// Cut to whole seconds; the configuration bounds what fits.
inline uint32_t whole_seconds(Duration duration) {
  return static_cast<uint32_t>(duration.ns / seconds(1).ns);
}

}  // namespace postern
