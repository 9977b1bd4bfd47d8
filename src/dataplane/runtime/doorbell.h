// SPDX-License-Identifier: BSD-3-Clause
// Doorbell: lets a sleeping thread hear that workers left something in its rings, at the cost of
// one system call per nap of the sleeper, not per record.
//
// The sleeper arms the bell, looks at its rings once more, and waits for fd() to become readable. A
// worker whose ring is not empty rings an armed bell, at most once a turn; since it asks again
// every turn, no ring is missed. Workers sleep by it as well (wakeups.h): who filled a ring of
// theirs rings with ring_sleeper(), once.
#pragma once

#include <atomic>

namespace postern {

class Doorbell {
 public:
  Doorbell();  // ends the process when the kernel has no eventfd to give
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  // --- thread: the sleeper
  int fd() const { return fd_; }  // readable: somebody rang
  void arm();                     // makes fd() unreadable and asks to be rung
  void disarm() { armed_.store(false, std::memory_order_relaxed); }

  // --- thread: any
  bool is_armed() const { return armed_.load(std::memory_order_relaxed); }
  void ring();  // makes fd() readable and disarms
  // After something was left for the sleeper, who arms before it looks. Both exchange the same
  // word: whoever comes second knows of the other.
  void ring_sleeper() {
    if (armed_.exchange(false, std::memory_order_acq_rel)) ring();
  }

 private:
  int fd_;
  std::atomic<bool> armed_{false};  // sleeper: set, either: clear
};

}  // namespace postern
