// SPDX-License-Identifier: BSD-3-Clause
// Doorbell: lets a sleeping thread hear that workers left something in its rings, at the cost of
// one system call per nap of the sleeper, not per record.
//
// The sleeper arms the bell, looks at its rings once more, and waits for fd() to become readable. A
// worker whose ring is not empty rings an armed bell, at most once a turn; since it asks again
// every turn, no ring is missed.
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

  // --- thread: any worker
  bool is_armed() const { return armed_.load(std::memory_order_relaxed); }
  void ring();  // makes fd() readable and disarms

 private:
  int fd_;
  std::atomic<bool> armed_{false};  // sleeper: set, worker: clear
};

}  // namespace postern
