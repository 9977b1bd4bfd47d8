// SPDX-License-Identifier: BSD-3-Clause
// Throughput in slices of 5 ms. On a machine with other things to do, what counts are the slices in
// which neither the generator nor the device under test waited for its core.
#pragma once

#include <cstdint>
#include <vector>

namespace postern::bench {

class Slices {
 public:
  // `device_thread`: the kernel's number of the thread that forwards, 0: not known.
  Slices(int device_thread, double ticks_per_second);
  ~Slices();
  Slices(const Slices&) = delete;
  Slices& operator=(const Slices&) = delete;

  void begin(uint64_t ticks);
  bool is_due(uint64_t ticks) const { return ticks >= next_; }
  void note(uint64_t ticks, uint64_t packets);

  struct Summary {
    double median = 0, best = 0;  // packets a second in clean slices: median, 90th percentile
    double clean_share = 0;
  };
  Summary summary() const;

 private:
  struct Slice {
    double per_second;
    bool waited;
  };
  uint64_t waited_ns() const;  // both threads, since they began

  int own_ = -1, device_ = -1;
  double ticks_per_second_;
  uint64_t length_, next_ = 0, last_ = 0, last_waited_ = 0, last_packets_ = 0;
  std::vector<Slice> slices_;
};

}  // namespace postern::bench
