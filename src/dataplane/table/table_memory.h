// SPDX-License-Identifier: BSD-3-Clause
// TableArray: the memory of a table, taken once in a constructor, in cache lines of its own
// (kOwnLines) and, where it is large, in huge pages (which the kernel is asked for: fewer TLB
// misses under random access).
//
// Elements are value-initialised, so every page is touched before the first packet.
// Thread: that of the table that has it.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace postern {

// At least `bytes` bytes; ends the process where there is no memory.
void* allocate_table_memory(size_t bytes);
void free_table_memory(void* memory, size_t bytes);

template <typename T>
class TableArray {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  explicit TableArray(size_t count)
      : items_(static_cast<T*>(allocate_table_memory(count * sizeof(T)))), count_(count) {
    std::uninitialized_value_construct_n(items_, count);
  }
  ~TableArray() {
    if (items_ != nullptr) free_table_memory(items_, count_ * sizeof(T));
  }
  TableArray(TableArray&& other) noexcept
      : items_(std::exchange(other.items_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  TableArray(const TableArray&) = delete;
  TableArray& operator=(const TableArray&) = delete;

  T& operator[](size_t index) { return items_[index]; }
  const T& operator[](size_t index) const { return items_[index]; }
  T* data() { return items_; }
  const T* data() const { return items_; }
  size_t size() const { return count_; }
  size_t bytes() const { return count_ * sizeof(T); }

 private:
  T* items_;
  size_t count_;
};

}  // namespace postern
