// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/doorbell.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "base/assert.h"

namespace postern {

Doorbell::Doorbell() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  POSTERN_ASSERT(fd_ >= 0);
}

Doorbell::~Doorbell() {
  close(fd_);
}

void Doorbell::arm() {
  uint64_t rung = 0;
  // Nothing to read (EAGAIN) is the usual case.
  if (read(fd_, &rung, sizeof rung) < 0) rung = 0;
  armed_.exchange(true, std::memory_order_acq_rel);
}

void Doorbell::ring() {
  armed_.store(false, std::memory_order_release);
  const uint64_t one = 1;
  // Full (EAGAIN) means readable already.
  if (write(fd_, &one, sizeof one) < 0) return;
}

}  // namespace postern
