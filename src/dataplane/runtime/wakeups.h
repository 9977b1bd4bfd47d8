// SPDX-License-Identifier: BSD-3-Clause
// Wakeups: what a worker without work sleeps on, when everything that may bring it some can tell.
//
//   ports whose driver reads a descriptor of the kernel (AF_XDP, AF_PACKET, TAP)   the descriptor
//   other workers, control                                                         its bell
//
// The descriptors are found among the process's own, since DPDK does not show them. Where a port
// has none (most network cards, memif, rings), the worker naps instead (nap.h) (P10). Thread: the
// worker; the bell also others.
#pragma once

#include <vector>

#include "base/time.h"
#include "dataplane/runtime/doorbell.h"

namespace postern {

class EthPort;

class Wakeups {
 public:
  explicit Wakeups(Doorbell& bell);
  ~Wakeups();
  Wakeups(const Wakeups&) = delete;
  Wakeups& operator=(const Wakeups&) = delete;

  // cold: when the worker is made. False: this port cannot tell.
  bool watch(const EthPort& port);

  // Sleeping takes three steps: arm, look at all rings once more, wait.
  void arm() { bell_.arm(); }
  // True: something happened before the time was over.
  bool wait(Duration at_most);
  void disarm() { bell_.disarm(); }

 private:
  Doorbell& bell_;
  int epoll_;
};

// The descriptors of this process by which the kernel hands frames of interface `index` to a
// driver: sockets with a ring, queues of a TAP, and all AF_XDP sockets, which do not tell theirs.
std::vector<int> descriptors_of(unsigned index);

}  // namespace postern
