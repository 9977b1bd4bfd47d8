// SPDX-License-Identifier: BSD-3-Clause
// What the kernel knows of this process, by the names that exporters share.
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "control/metrics/collect.h"

namespace postern::metrics {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Resident pages; the second number of the file.
uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t open_descriptors() {
  std::error_code error;
  uint64_t count = 0;
  for (auto at = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    ++count;
  }
  return count;
}

}  // namespace

void collect_process(Exposition& out) {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  out.family("process_cpu_seconds", Kind::counter, "time of processors, user and system");
  out.sample({}, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
  out.gauge("process_resident_memory_bytes", "memory in use, without hugepages", resident_bytes());
  out.gauge("process_open_fds", "descriptors that are open", open_descriptors());
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  out.gauge("process_max_fds", "descriptors that may be open", uint64_t{limit.rlim_cur});
}

}  // namespace postern::metrics
