// SPDX-License-Identifier: BSD-3-Clause
// SpscRing: a bounded queue between one producer thread and one consumer thread, without locks.
//
// Capacity is a power of two, fixed at construction; a full ring refuses (the caller counts). Each
// side keeps a private copy of the other's index, so in steady state an operation touches one
// shared line. T is copied by value and should be trivial.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <span>

#include "base/assert.h"
#include "base/limits.h"
#include "dataplane/table/table_memory.h"

namespace postern {

template <typename T>
class SpscRing {
 public:
  explicit SpscRing(size_t capacity) : mask_(capacity - 1), slots_(capacity) {
    POSTERN_ASSERT(std::has_single_bit(capacity));
  }

  // Thread: the producer. False: full, nothing was taken.
  bool push(const T& item) {
    size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ > mask_) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ > mask_) return false;
    }
    slots_[tail & mask_] = item;
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Thread: the consumer. Returns how many items were written to `out`.
  size_t pop(std::span<T> out) {
    size_t head = head_.load(std::memory_order_relaxed);
    if (tail_seen_ - head < out.size()) tail_seen_ = tail_.load(std::memory_order_acquire);
    size_t count = tail_seen_ - head < out.size() ? tail_seen_ - head : out.size();
    for (size_t i = 0; i < count; ++i)
      out[i] = slots_[(head + i) & mask_];
    head_.store(head + count, std::memory_order_release);
    return count;
  }

  // Any thread; a hint only.
  bool is_empty() const {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
  }

 private:
  size_t mask_;
  TableArray<T> slots_;
  alignas(kOwnLines) std::atomic<size_t> head_{0};  // consumer: write
  size_t tail_seen_ = 0;                            // consumer
  alignas(kOwnLines) std::atomic<size_t> tail_{0};  // producer: write
  size_t head_seen_ = 0;                            // producer
};

}  // namespace postern
