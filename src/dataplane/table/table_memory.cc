// SPDX-License-Identifier: BSD-3-Clause
// cold: memory is taken and given back when tables are made and unmade.
#include "dataplane/table/table_memory.h"

#include <sys/mman.h>

#include <new>

#include "base/assert.h"
#include "base/limits.h"

namespace postern {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kHugeFrom = kHugePage / 4;  // what is worth a page of its own

std::align_val_t alignment_of(size_t bytes) {
  return std::align_val_t{bytes >= kHugeFrom ? kHugePage : kOwnLines};
}

size_t room_for(size_t bytes) {
  const size_t unit = bytes >= kHugeFrom ? kHugePage : kOwnLines;
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

void* allocate_table_memory(size_t bytes) {
  void* memory = ::operator new(room_for(bytes), alignment_of(bytes));
  POSTERN_ASSERT(memory != nullptr);
  // A hint only: without huge pages the table is slower and otherwise the same.
  if (bytes >= kHugeFrom) madvise(memory, room_for(bytes), MADV_HUGEPAGE);
  return memory;
}

void free_table_memory(void* memory, size_t bytes) {
  ::operator delete(memory, alignment_of(bytes));
}

}  // namespace postern
