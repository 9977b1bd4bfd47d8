// SPDX-License-Identifier: BSD-3-Clause
// Replaces the allocation functions of the test program by counting ones.
#include "support/alloc_guard.h"

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {
thread_local uint64_t count = 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define POSTERN_COUNTS_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define POSTERN_COUNTS_MALLOC 0
#endif
#endif
#ifndef POSTERN_COUNTS_MALLOC
#define POSTERN_COUNTS_MALLOC 1
#endif

#if POSTERN_COUNTS_MALLOC
// glibc's own names of what is replaced here.
extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t items, size_t bytes);
void* __libc_realloc(void* old, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) noexcept {
  ++count;
  return __libc_malloc(bytes);
}
void* calloc(size_t items, size_t bytes) noexcept {
  ++count;
  return __libc_calloc(items, bytes);
}
void* realloc(void* old, size_t bytes) noexcept {
  ++count;
  return __libc_realloc(old, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
  ++count;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** out, size_t alignment, size_t bytes) noexcept {
  ++count;
  *out = __libc_memalign(alignment, bytes);
  return *out == nullptr ? ENOMEM : 0;
}
}
#else
// The sanitizer owns malloc; operator new in all its forms goes to it and is counted on the way.
namespace {
void* counted(size_t bytes) {
  ++count;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void* counted(size_t bytes, std::align_val_t alignment) {
  ++count;
  const size_t step = static_cast<size_t>(alignment);
  return std::aligned_alloc(step, (bytes + step - 1) / step * step);
}
void* or_end(void* memory) {
  if (memory == nullptr) std::abort();
  return memory;
}
}  // namespace

void* operator new(size_t bytes) {
  return or_end(counted(bytes));
}
void* operator new[](size_t bytes) {
  return or_end(counted(bytes));
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return counted(bytes);
}
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept {
  return counted(bytes);
}
void* operator new(size_t bytes, std::align_val_t at) {
  return or_end(counted(bytes, at));
}
void* operator new[](size_t bytes, std::align_val_t at) {
  return or_end(counted(bytes, at));
}
void* operator new(size_t bytes, std::align_val_t at, const std::nothrow_t&) noexcept {
  return counted(bytes, at);
}
void* operator new[](size_t bytes, std::align_val_t at, const std::nothrow_t&) noexcept {
  return counted(bytes, at);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
#endif

namespace postern::test {

AllocGuard::AllocGuard() : start_(count) {}
uint64_t AllocGuard::allocations() const {
  return count - start_;
}

}  // namespace postern::test
