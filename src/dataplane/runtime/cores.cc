// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/cores.h"

#include <algorithm>
#include <string>

namespace postern {

Result<std::vector<uint32_t>> pick_cores(unsigned workers, const std::vector<uint32_t>& wanted,
                                         const std::vector<uint32_t>& allowed) {
  if (!wanted.empty() && wanted.size() != workers) {
    return Error{ErrorCode::invalid, "system.workers: " + std::to_string(workers) +
                                         " workers need as many cores, " +
                                         std::to_string(wanted.size()) + " are named"};
  }
  for (const uint32_t core : wanted) {
    if (std::ranges::count(allowed, core) != 0) continue;
    return Error{ErrorCode::invalid,
                 "system.workers.cores: core " + std::to_string(core) +
                     " does not exist or may not be used (`taskset -pc $$` shows which may)"};
  }
  if (!wanted.empty()) return wanted;
  std::vector<uint32_t> chosen;
  for (unsigned worker = 0; worker < workers; ++worker) {
    const size_t back = (workers - 1 - worker) % allowed.size();
    chosen.push_back(allowed[allowed.size() - 1 - back]);
  }
  return chosen;
}

}  // namespace postern
