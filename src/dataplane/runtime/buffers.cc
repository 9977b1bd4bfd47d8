// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/buffers.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mempool.h>

#include <algorithm>

#include "dataplane/runtime/eal.h"

namespace postern {
namespace {

constexpr uint16_t kPrivateBytes = RTE_ALIGN(sizeof(Packet), RTE_MBUF_PRIV_ALIGN);
// Of the memory given, what is not for buffers: rings, driver structures, the allocator's own.
constexpr uint64_t kOverheadMib = 16;
constexpr uint64_t kBufferPercent = 90;
// Buffers beyond the need help nobody: bursts wait in rings, whose room is part of the need.
constexpr uint64_t kPlenty = 2;

uint64_t bytes_each(uint16_t room) {
  return rte_mempool_calc_obj_size(static_cast<uint32_t>(sizeof(rte_mbuf)) + kPrivateBytes + room,
                                   0, nullptr);
}

// As rte_pktmbuf_pool_create() makes it, but for one thing: buffers lie back to back. By default
// none crosses a page, which leaves gaps, and PMD AF_XDP reckons without gaps where its memory
// ends: it would lose every buffer behind that line. No driver minds where I/O addresses are
// virtual ones.
rte_mempool* make_packed_pool(const char* name, unsigned count, uint16_t room) {
  const bool is_virtual = rte_eal_iova_mode() == RTE_IOVA_VA;
  const unsigned flags = is_virtual ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0;
  const auto element = static_cast<unsigned>(sizeof(rte_mbuf)) + kPrivateBytes + room;
  rte_mempool* pool = rte_mempool_create_empty(
      name, count, element, kBufferCache, sizeof(rte_pktmbuf_pool_private), SOCKET_ID_ANY, flags);
  if (pool == nullptr) return nullptr;
  rte_pktmbuf_pool_private about = {};
  about.mbuf_data_room_size = room;
  about.mbuf_priv_size = kPrivateBytes;
  if (rte_mempool_set_ops_byname(pool, "ring_mp_mc", nullptr) == 0) {
    rte_pktmbuf_pool_init(pool, &about);
    if (rte_mempool_populate_default(pool) >= 0) {
      rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
      return pool;
    }
  }
  rte_mempool_free(pool);
  return nullptr;
}

Result<rte_mempool*> make_pool(const char* name, uint64_t count, uint16_t room) {
  forget_eal_message();
  rte_mempool* pool = make_packed_pool(name, static_cast<unsigned>(count), room);
  if (pool != nullptr) return pool;
  return Error{ErrorCode::exhausted, "system.memory: no room for " + std::to_string(count) +
                                         " packet buffers: " + eal_reason(rte_errno)};
}

}  // namespace

Buffers::~Buffers() {
  rte_mempool_free(small_);
  rte_mempool_free(jumbo_);
}

Result<void> Buffers::allocate(const Need& need) {
  const auto jumbo_room = static_cast<uint16_t>(RTE_PKTMBUF_HEADROOM + packet_slot(need.mtu_max));
  const uint64_t needed = need.small * bytes_each(kSmallRoom) + need.jumbo * bytes_each(jumbo_room);
  const uint64_t given_mib = need.memory_mib > kOverheadMib ? need.memory_mib - kOverheadMib : 0;
  const uint64_t given = (given_mib << 20) / 100 * kBufferPercent;
  if (needed > given) {
    const uint64_t wanted_mib = (needed * 100 / kBufferPercent >> 20) + 1 + kOverheadMib;
    return Error{ErrorCode::exhausted,
                 "system.memory: " + std::to_string(need.memory_mib) +
                     " MiB are too few for these ports and workers; give at least " +
                     std::to_string(wanted_mib)};
  }
  const uint64_t percent =
      std::min<uint64_t>(given * 100 / std::max<uint64_t>(needed, 1), kPlenty * 100);
  auto small = make_pool("postern_small", need.small * percent / 100, kSmallRoom);
  if (!small) return std::move(small).error();
  small_ = *small;
  if (need.jumbo == 0) return {};
  auto jumbo = make_pool("postern_jumbo", need.jumbo * percent / 100, jumbo_room);
  if (!jumbo) return std::move(jumbo).error();
  jumbo_ = *jumbo;
  return {};
}

rte_mempool* Buffers::pool_of_room(uint32_t bytes) const {
  if (bytes + RTE_PKTMBUF_HEADROOM <= kSmallRoom) return small_;
  if (jumbo_ == nullptr) return nullptr;
  return bytes + RTE_PKTMBUF_HEADROOM <= rte_pktmbuf_data_room_size(jumbo_) ? jumbo_ : nullptr;
}

unsigned Buffers::total() const {
  return (small_ != nullptr ? small_->size : 0) + (jumbo_ != nullptr ? jumbo_->size : 0);
}

unsigned Buffers::free() const {
  return (small_ != nullptr ? rte_mempool_avail_count(small_) : 0) +
         (jumbo_ != nullptr ? rte_mempool_avail_count(jumbo_) : 0);
}

rte_mbuf* make_plain(const Buffers& buffers, rte_mbuf* buffer, bool& is_too_long) {
  const uint32_t length = rte_pktmbuf_pkt_len(buffer);
  rte_mempool* pool = buffers.pool_of_room(length);
  is_too_long = pool == nullptr || length > UINT16_MAX;
  rte_mbuf* copy = is_too_long ? nullptr : rte_pktmbuf_alloc(pool);
  if (copy != nullptr) {
    auto* room =
        reinterpret_cast<uint8_t*>(rte_pktmbuf_append(copy, static_cast<uint16_t>(length)));
    const void* from = rte_pktmbuf_read(buffer, 0, length, room);
    // One piece is not copied by rte_pktmbuf_read.
    if (from != room) std::copy_n(static_cast<const uint8_t*>(from), length, room);
  }
  rte_pktmbuf_free(buffer);
  return copy;
}

}  // namespace postern
