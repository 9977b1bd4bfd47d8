// SPDX-License-Identifier: BSD-3-Clause
#include "bench/wire/slices.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace postern::bench {
namespace {

constexpr double kLength = 0.005;
constexpr double kWaitedShareMax = 0.01;
constexpr double kCleanShareMin = 0.05;  // with fewer clean slices all of them count

int open_schedstat(const std::string& thread) {
  return open(("/proc/" + thread + "/schedstat").c_str(), O_RDONLY | O_CLOEXEC);
}

// The second number of a schedstat file: time in which the thread could have run and did not.
uint64_t waited_of(int file) {
  char text[128];
  const ssize_t length = file < 0 ? 0 : pread(file, text, sizeof text - 1, 0);
  if (length <= 0) return 0;
  text[length] = 0;
  char* second = nullptr;
  std::strtoull(text, &second, 10);
  return std::strtoull(second, nullptr, 10);
}

}  // namespace

Slices::Slices(int device_thread, double ticks_per_second)
    : own_(open_schedstat("thread-self")),
      device_(device_thread > 0 ? open_schedstat(std::to_string(device_thread)) : -1),
      ticks_per_second_(ticks_per_second),
      length_(static_cast<uint64_t>(kLength * ticks_per_second)) {}

Slices::~Slices() {
  if (own_ >= 0) close(own_);
  if (device_ >= 0) close(device_);
}

uint64_t Slices::waited_ns() const {
  return waited_of(own_) + waited_of(device_);
}

void Slices::begin(uint64_t ticks) {
  slices_.clear();
  last_ = ticks;
  next_ = ticks + length_;
  last_waited_ = waited_ns();
  last_packets_ = 0;
}

void Slices::note(uint64_t ticks, uint64_t packets) {
  const double seconds = static_cast<double>(ticks - last_) / ticks_per_second_;
  const uint64_t waited = waited_ns();
  const double share = static_cast<double>(waited - last_waited_) / 1e9 / seconds;
  slices_.push_back(
      {static_cast<double>(packets - last_packets_) / seconds, share > kWaitedShareMax});
  last_ = ticks;
  next_ = ticks + length_;
  last_waited_ = waited;
  last_packets_ = packets;
}

// The kernel books a wait when it is over: the slice before may have been part of it, and the one
// after suffers from cold caches.
Slices::Summary Slices::summary() const {
  Summary summary;
  std::vector<double> clean, all;
  for (size_t i = 0; i < slices_.size(); ++i) {
    const bool waited = slices_[i].waited || (i > 0 && slices_[i - 1].waited) ||
                        (i + 1 < slices_.size() && slices_[i + 1].waited);
    if (!waited) clean.push_back(slices_[i].per_second);
    all.push_back(slices_[i].per_second);
  }
  if (all.empty()) return summary;
  summary.clean_share = static_cast<double>(clean.size()) / static_cast<double>(all.size());
  std::vector<double>& counted = summary.clean_share < kCleanShareMin ? all : clean;
  std::sort(counted.begin(), counted.end());
  summary.median = counted[counted.size() / 2];
  summary.best = counted[counted.size() * 9 / 10];
  return summary;
}

}  // namespace postern::bench
