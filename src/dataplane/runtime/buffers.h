// SPDX-License-Identifier: BSD-3-Clause
// Buffers: the packet buffers (mbufs) of one Dataplane, made once, and how a Packet lives in one.
//
//   | rte_mbuf | Packet (private area) | kHeadroomMin | frame ...            |
//
// The private area keeps the Packet while the buffer is on its way to another worker, so that what
// the first worker found out is not lost. One pool serves ports with frames up to the usual 1500
// bytes (also the only size AF_XDP takes), a second one, made when a port needs it, serves jumbo
// frames; a frame is always in one piece. Thread: any, through the callers' lcore caches.
#pragma once

#include <rte_mbuf.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>

#include "base/limits.h"
#include "base/result.h"
#include "dataplane/packet/packet.h"

namespace postern {

static_assert(RTE_PKTMBUF_HEADROOM >= kHeadroomMin);

constexpr uint16_t kFrameOverhead = 14 + 4 + 4;  // Ethernet header, one VLAN tag, FCS
constexpr uint16_t kSmallRoom = RTE_MBUF_DEFAULT_BUF_SIZE;
constexpr uint16_t kSmallMtuMax = 1600;  // what surely fits a small buffer
// Room for one frame in the ring of an AF_PACKET socket, with the kernel's header in front of it.
// Four fill whole pages without a gap, as the driver reckons; it wants buffers of the same size.
constexpr uint32_t packet_slot(uint16_t mtu) {
  constexpr uint32_t kHeader = 96, kStep = 1024;
  if (mtu <= kSmallMtuMax) return 2 * kStep;
  return (mtu + kFrameOverhead + kHeader + kStep - 1) / kStep * kStep;
}
constexpr unsigned kSlotsInBlock = 4;

constexpr unsigned kBufferCache = 256;  // buffers a worker keeps at hand

// Room of the ring by which a worker gets what others hand over to it; with hand_off_full beyond.
constexpr unsigned hand_off_room(unsigned workers) {
  if (workers <= 1) return 0;
  return std::min(std::bit_ceil(kHandOffRing * (workers - 1)), kHandOffRingMax);
}
// Buffers that one of so many workers may have in hand: cache, bursts in work, held packets, ring
// from the others.
constexpr unsigned worker_buffers(unsigned workers) {
  return kBufferCache * 2 + kBurstMax * 4 + kHeldNeighborsMax * kHeldPerNeighbor +
         kFragmentsHeldMax + hand_off_room(workers);
}

class Buffers {
 public:
  struct Need {
    unsigned small = 0, jumbo = 0;  // buffers that ports and workers may hold at the same time
    uint16_t mtu_max = 1500;
    uint32_t memory_mib = 256;
  };
  Buffers() = default;
  ~Buffers();
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  Result<void> allocate(const Need& need);

  rte_mempool* pool_for(uint16_t mtu) const { return mtu <= kSmallMtuMax ? small_ : jumbo_; }
  // The pool whose buffers hold `bytes` of frame, or nullptr.
  rte_mempool* pool_of_room(uint32_t bytes) const;
  // Whether buffers of this pool are ours, with room for a Packet beside the frame.
  bool have(const rte_mempool* pool) const { return pool == small_ || pool == jumbo_; }
  unsigned total() const;
  unsigned free() const;

 private:
  rte_mempool* small_ = nullptr;
  rte_mempool* jumbo_ = nullptr;
};

// Copies the packet's view of the frame back into its buffer: where it begins and how long it is.
inline rte_mbuf* buffer_of(const Packet& packet) {
  auto* buffer = static_cast<rte_mbuf*>(packet.buffer);
  buffer->data_off = static_cast<uint16_t>(packet.frame - static_cast<uint8_t*>(buffer->buf_addr));
  buffer->data_len = packet.length;
  buffer->pkt_len = packet.length;
  buffer->ol_flags = 0;
  return buffer;
}

// The Packet kept in the buffer's private area.
inline Packet& kept_packet(rte_mbuf* buffer) {
  return *static_cast<Packet*>(rte_mbuf_to_priv(buffer));
}

// Makes `packet` a fresh one around a received buffer, ready for the pipeline. In its place: one
// made elsewhere and copied would be read in wide loads before its many small parts are written.
[[gnu::always_inline]] inline void begin_packet(Packet& packet, rte_mbuf* buffer,
                                                InterfaceId ingress, bool from_host) {
  std::construct_at(&packet);
  packet.frame = rte_pktmbuf_mtod(buffer, uint8_t*);
  packet.buffer = buffer;
  packet.length = rte_pktmbuf_data_len(buffer);
  packet.ingress = ingress;
  packet.from_host = from_host;
}

// Whether the pipeline can work in this buffer as it is: one piece, not shared, headroom in front.
// Of buffers of our own only the first line is looked at.
inline bool is_plain(const Buffers& buffers, const rte_mbuf* buffer) {
  return buffer->nb_segs == 1 && rte_mbuf_refcnt_read(buffer) == 1 && RTE_MBUF_DIRECT(buffer) &&
         rte_pktmbuf_headroom(buffer) >= kHeadroomMin &&
         (buffers.have(buffer->pool) || buffer->priv_size >= sizeof(Packet));
}

// A plain copy of `buffer`, which is freed; nullptr when it does not fit one buffer or none is free
// (`is_too_long` tells which).
rte_mbuf* make_plain(const Buffers& buffers, rte_mbuf* buffer, bool& is_too_long);

}  // namespace postern
