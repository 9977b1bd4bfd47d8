// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/capture/capture_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "base/assert.h"

namespace postern {
namespace {

static_assert(std::is_trivially_copyable_v<CaptureRecord>);

constexpr size_t space_of(uint16_t captured) {
  return sizeof(CaptureRecord) + (size_t{captured} + 7) / 8 * 8;
}

// Where an interface has its counters.
constexpr size_t place_of(InterfaceId interface) {
  return interface < kGateway ? interface : size_t { kGateway };
}

}  // namespace

CaptureRing::CaptureRing(size_t bytes) : size_(bytes), bytes_(std::make_unique<uint8_t[]>(bytes)) {
  POSTERN_ASSERT(std::has_single_bit(bytes));
}

void CaptureRing::leave_out(InterfaceId interface) {
  matched_[place_of(interface)].add(1);
  lost_[place_of(interface)].add(1);
}

void CaptureRing::push(const CaptureRecord& record, const uint8_t* bytes) {
  const size_t index = place_of(record.interface);
  matched_[index].add(1);
  const uint64_t tail = tail_.load(std::memory_order_relaxed);
  const size_t space = space_of(record.captured);
  if (tail + space - head_seen_ > size_) {
    head_seen_ = head_.load(std::memory_order_acquire);
    if (tail + space - head_seen_ > size_) return lost_[index].add(1);
  }
  copy_in(tail, &record, sizeof record);
  copy_in(tail + sizeof record, bytes, record.captured);
  tail_.store(tail + space, std::memory_order_release);
}

bool CaptureRing::pop(CaptureRecord& record, std::span<uint8_t> into) {
  if (is_empty()) return false;
  const uint64_t head = head_.load(std::memory_order_relaxed);
  copy_out(head, &record, sizeof record);
  POSTERN_ASSERT(record.captured <= into.size());
  copy_out(head + sizeof record, into.data(), record.captured);
  head_.store(head + space_of(record.captured), std::memory_order_release);
  return true;
}

bool CaptureRing::is_empty() const {
  return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_acquire);
}

void CaptureRing::copy_in(uint64_t at, const void* from, size_t size) {
  const size_t begin = at & (size_ - 1);
  const size_t first = std::min(size, size_ - begin);
  std::memcpy(bytes_.get() + begin, from, first);
  std::memcpy(bytes_.get(), static_cast<const uint8_t*>(from) + first, size - first);
}

void CaptureRing::copy_out(uint64_t at, void* to, size_t size) const {
  const size_t begin = at & (size_ - 1);
  const size_t first = std::min(size, size_ - begin);
  std::memcpy(to, bytes_.get() + begin, first);
  std::memcpy(static_cast<uint8_t*>(to) + first, bytes_.get(), size - first);
}

}  // namespace postern
