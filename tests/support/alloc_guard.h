// SPDX-License-Identifier: BSD-3-Clause
// AllocGuard counts the heap allocations of its thread while it lives: operator new in all its
// forms and malloc, calloc, realloc, aligned_alloc, posix_memalign. The packet path must make none:
//
//   AllocGuard guard;
//   pipeline.process(burst, now);
//   CHECK(guard.allocations() == 0);
//
// Under AddressSanitizer, which needs malloc itself, only operator new is counted.
#pragma once

#include <cstdint>

namespace postern::test {

class AllocGuard {
 public:
  AllocGuard();
  // Since the guard was made, by this thread.
  uint64_t allocations() const;

 private:
  uint64_t start_;
};

}  // namespace postern::test
