// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/cpu_latency.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>

namespace postern {

CpuLatency::~CpuLatency() {
  if (file_ >= 0) close(file_);
}

Result<void> CpuLatency::request(uint32_t wake_us) {
  constexpr const char* kPath = "/dev/cpu_dma_latency";
  constexpr uint32_t kLongest = std::numeric_limits<int32_t>::max();
  if (file_ < 0) file_ = open(kPath, O_WRONLY | O_CLOEXEC);
  const auto wanted = static_cast<int32_t>(std::min(wake_us, kLongest));
  if (file_ >= 0 && write(file_, &wanted, sizeof wanted) == ssize_t{sizeof wanted}) return {};
  return Error{ErrorCode::failed,
               "system.workers.wake_us: " + std::string(kPath) + ": " + std::strerror(errno) +
                   "; the processor sleeps as deep as the kernel lets it, and a sleeping worker "
                   "may take longer to wake"};
}

}  // namespace postern
