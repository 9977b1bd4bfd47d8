// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/cpu_latency.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/assert.h"

namespace postern {
namespace {

Error failed(const std::string& why) {
  return Error{ErrorCode::failed,
               "system.workers.wake_us: " + why + "; a worker that sleeps may take longer to wake"};
}

}  // namespace

CpuLatency::~CpuLatency() {
  if (file_ >= 0) close(file_);
}

bool CpuLatency::has_driver() const {
  std::string name;
  std::ifstream file(places_.driver);
  return file >> name && name != "none";
}

Result<void> CpuLatency::request(uint32_t wake_us) {
  POSTERN_ASSERT(file_ < 0);
  file_ = open(places_.device.c_str(), O_WRONLY | O_CLOEXEC);
  const auto wanted = static_cast<int32_t>(wake_us);
  const bool is_asked = file_ >= 0 && write(file_, &wanted, sizeof wanted) == sizeof wanted;
  const int error = errno;
  if (!is_asked) return failed(places_.device + ": " + std::strerror(error));
  if (!has_driver()) return failed("this kernel has no driver of idle states (cpuidle)");
  return {};
}

}  // namespace postern
