// SPDX-License-Identifier: BSD-3-Clause
#include "sharing/access_log.h"

#include <pthread.h>

#include <cstddef>
#include <utility>

#include "base/assert.h"

namespace postern::test {
namespace {

AccessLog* current = nullptr;

// A function of its own for each kind, so that its caller is the code under test.
[[gnu::always_inline]] inline void note(const volatile void* address, uintptr_t size,
                                        bool is_write) {
  if (current == nullptr) return;
  const void* code = is_write ? __builtin_return_address(0) : nullptr;
  AccessLog* const log = std::exchange(current, nullptr);  // what it does itself does not count
  log->note(reinterpret_cast<uintptr_t>(address), size, code);
  current = log;
}

}  // namespace

AccessLog::AccessLog(uintptr_t line_bytes) : line_bytes_(line_bytes) {
  pthread_attr_t attributes;
  POSTERN_ASSERT(pthread_getattr_np(pthread_self(), &attributes) == 0);
  void* stack = nullptr;
  size_t size = 0;
  pthread_attr_getstack(&attributes, &stack, &size);
  pthread_attr_destroy(&attributes);
  stack_first_ = reinterpret_cast<uintptr_t>(stack);
  stack_end_ = stack_first_ + size;
}

AccessLog::~AccessLog() {
  end();
}

void AccessLog::begin(unsigned worker) {
  worker_ = worker;
  current = this;
}

void AccessLog::end() {
  current = nullptr;
}

void AccessLog::note(uintptr_t address, uintptr_t size, const void* writer) {
  if (address >= stack_first_ && address < stack_end_) return;
  ++accesses_;
  const uint64_t bit = uint64_t{1} << worker_;
  for (uintptr_t line = address / line_bytes_; line <= (address + size - 1) / line_bytes_; ++line) {
    Use& use = lines_[line];
    (writer != nullptr ? use.writers : use.readers) |= bit;
    if (writer != nullptr) use.writer = writer;
  }
}

}  // namespace postern::test

// What the compiler calls (g++ and clang++); the names are theirs.
// NOLINTBEGIN
using postern::test::note;

#define POSTERN_PLAIN(size)                    \
  void __tsan_read##size(void* p) {            \
    note(p, size, false);                      \
  }                                            \
  void __tsan_write##size(void* p) {           \
    note(p, size, true);                       \
  }                                            \
  void __tsan_unaligned_read##size(void* p) {  \
    note(p, size, false);                      \
  }                                            \
  void __tsan_unaligned_write##size(void* p) { \
    note(p, size, true);                       \
  }                                            \
  void __tsan_volatile_read##size(void* p) {   \
    note(p, size, false);                      \
  }                                            \
  void __tsan_volatile_write##size(void* p) {  \
    note(p, size, true);                       \
  }

#define POSTERN_ATOMIC(bits)                                                                \
  uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t* p, int) {        \
    note(p, bits / 8, false);                                                               \
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                            \
  }                                                                                         \
  void __tsan_atomic##bits##_store(volatile uint##bits##_t* p, uint##bits##_t value, int) { \
    note(p, bits / 8, true);                                                                \
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST);                                           \
  }

extern "C" {
POSTERN_PLAIN(1)
POSTERN_PLAIN(2)
POSTERN_PLAIN(4)
POSTERN_PLAIN(8)
POSTERN_PLAIN(16)
POSTERN_ATOMIC(8)
POSTERN_ATOMIC(16)
POSTERN_ATOMIC(32)
POSTERN_ATOMIC(64)
void __tsan_read_range(void* p, size_t size) {
  note(p, size, false);
}
void __tsan_write_range(void* p, size_t size) {
  note(p, size, true);
}
void __tsan_vptr_read(void** p) {
  note(p, sizeof *p, false);
}
void __tsan_vptr_update(void** p, void*) {
  note(p, sizeof *p, true);
}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_init() {}
void __tsan_atomic_thread_fence(int) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

// The compiler reports nothing of these (--wrap, meson.build).
void* __real_memcpy(void* to, const void* from, size_t size);
void* __real_memmove(void* to, const void* from, size_t size);
void* __real_memset(void* to, int value, size_t size);
void* __wrap_memcpy(void* to, const void* from, size_t size) {
  if (size != 0) note(from, size, false), note(to, size, true);
  return __real_memcpy(to, from, size);
}
void* __wrap_memmove(void* to, const void* from, size_t size) {
  if (size != 0) note(from, size, false), note(to, size, true);
  return __real_memmove(to, from, size);
}
void* __wrap_memset(void* to, int value, size_t size) {
  if (size != 0) note(to, size, true);
  return __real_memset(to, value, size);
}
}  // extern "C"
// NOLINTEND
