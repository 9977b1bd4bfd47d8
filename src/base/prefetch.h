// SPDX-License-Identifier: BSD-3-Clause
// Hints to the cache. Without effect on what a program computes.
#pragma once

namespace postern {

// Asks for the line at `address`, which this core will write and another core wrote last: taken for
// writing at once, it need not be asked for twice. `__builtin_prefetch(address, 1)` reads only,
// unless the compiler may take the instruction for granted; processors without it do nothing.
inline void prefetch_for_write(const void* address) {
#ifdef __x86_64__
  __asm__ volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address, 1);
#endif
}

// Asks for the line at `address`. The empty statement is there for the sake of functions that do
// nothing else: the compiler takes them for functions without effect and leaves out their calls.
inline void prefetch(const void* address) {
  __builtin_prefetch(address);
  __asm__ volatile("" : : "r"(address));
}

}  // namespace postern
