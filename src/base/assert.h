// SPDX-License-Identifier: BSD-3-Clause
// Assertions about our own code. Malformed input is an outcome, never an assertion.
//
// POSTERN_ASSERT holds in every build and aborts with one line that names the place.
// POSTERN_DCHECK holds in debug builds only; it may stand on the packet path.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace postern {

[[noreturn]] inline void assertion_failed(const char* claim, const char* file, int line) {
  std::fprintf(stderr, "postern: broken assertion: %s (%s:%d)\n", claim, file, line);
  std::abort();
}

}  // namespace postern

#define POSTERN_ASSERT(claim) \
  ((claim) ? static_cast<void>(0) : ::postern::assertion_failed(#claim, __FILE__, __LINE__))

#ifdef NDEBUG
#define POSTERN_DCHECK(claim) static_cast<void>(0)
#else
#define POSTERN_DCHECK(claim) POSTERN_ASSERT(claim)
#endif
