// SPDX-License-Identifier: BSD-3-Clause
// pick_cores(): which core each worker runs on. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace postern {

// `wanted`: one a worker, or empty. `allowed`: cores this process may use, ascending, not empty.
// Chosen are the last ones, since the first have the most of the kernel's own work; workers share
// cores when there are too few.
Result<std::vector<uint32_t>> pick_cores(unsigned workers, const std::vector<uint32_t>& wanted,
                                         const std::vector<uint32_t>& allowed);

}  // namespace postern
