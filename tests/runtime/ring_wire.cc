// SPDX-License-Identifier: BSD-3-Clause
#include "runtime/ring_wire.h"

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>

#include "base/assert.h"
#include "dataplane/packet/packet.h"
#include "dataplane/runtime/eal.h"

namespace postern::test {
namespace {

constexpr unsigned kRing = 1024;
constexpr unsigned kFrames = 2048;
constexpr uint16_t kRoom = RTE_PKTMBUF_HEADROOM + 9216;
constexpr uint32_t kMemoryMib = 384;

rte_mempool* frames() {
  static rte_mempool* pool = rte_pktmbuf_pool_create(
      "test_frames", kFrames, 0, RTE_ALIGN(sizeof(Packet), 8), kRoom, SOCKET_ID_ANY);
  POSTERN_ASSERT(pool != nullptr);
  return pool;
}

rte_mbuf* frame_of(std::span<const uint8_t> bytes) {
  rte_mbuf* frame = rte_pktmbuf_alloc(frames());
  POSTERN_ASSERT(frame != nullptr);
  char* room = rte_pktmbuf_append(frame, static_cast<uint16_t>(bytes.size()));
  POSTERN_ASSERT(room != nullptr);
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<uint8_t*>(room));
  return frame;
}

}  // namespace

void start_test_eal() {
  EalSettings settings;
  settings.hugepages = Hugepages::off;
  settings.memory_mib = kMemoryMib;
  auto started = start_eal(settings);
  if (!started) assertion_failed(started.error().text.c_str(), __FILE__, __LINE__);
}

unsigned test_frames_in_use() {
  return rte_mempool_in_use_count(frames());
}

RingWire::RingWire(const std::string& name, unsigned queues) : name_(name) {
  for (unsigned i = 0; i < queues; ++i) {
    const std::string queue = name + std::to_string(i);
    to_program_.push_back(rte_ring_create((queue + "_in").c_str(), kRing, SOCKET_ID_ANY, 0));
    from_program_.push_back(rte_ring_create((queue + "_out").c_str(), kRing, SOCKET_ID_ANY, 0));
    POSTERN_ASSERT(to_program_.back() != nullptr && from_program_.back() != nullptr);
  }
  const int port = rte_eth_from_rings(name.c_str(), to_program_.data(), queues,
                                      from_program_.data(), queues, SOCKET_ID_ANY);
  POSTERN_ASSERT(port >= 0);
}

RingWire::~RingWire() {
  take();
  for (rte_ring* ring : to_program_) {
    void* frame = nullptr;
    while (rte_ring_dequeue(ring, &frame) == 0)
      rte_pktmbuf_free(static_cast<rte_mbuf*>(frame));
    rte_ring_free(ring);
  }
  for (rte_ring* ring : from_program_)
    rte_ring_free(ring);
}

void RingWire::enqueue(unsigned queue, rte_mbuf* frame) {
  POSTERN_ASSERT(rte_ring_enqueue(to_program_.at(queue), frame) == 0);
}

void RingWire::put(unsigned queue, std::span<const uint8_t> frame) {
  enqueue(queue, frame_of(frame));
}

void RingWire::put_in_pieces(unsigned queue, std::span<const uint8_t> frame, uint16_t piece) {
  rte_mbuf* whole = nullptr;
  while (!frame.empty()) {
    const size_t length = std::min<size_t>(piece, frame.size());
    rte_mbuf* next = frame_of(frame.first(length));
    frame = frame.subspan(length);
    if (whole == nullptr) {
      whole = next;
    } else {
      POSTERN_ASSERT(rte_pktmbuf_chain(whole, next) == 0);
    }
  }
  enqueue(queue, whole);
}

void RingWire::put_untagged(unsigned queue, std::span<const uint8_t> frame, uint16_t tag) {
  rte_mbuf* buffer = frame_of(frame);
  buffer->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
  buffer->vlan_tci = tag;
  enqueue(queue, buffer);
}

std::vector<std::vector<uint8_t>> RingWire::take() {
  std::vector<std::vector<uint8_t>> taken;
  for (rte_ring* ring : from_program_) {
    void* item = nullptr;
    while (rte_ring_dequeue(ring, &item) == 0) {
      auto* frame = static_cast<rte_mbuf*>(item);
      const auto* first = rte_pktmbuf_mtod(frame, const uint8_t*);
      taken.emplace_back(first, first + rte_pktmbuf_data_len(frame));
      rte_pktmbuf_free(frame);
    }
  }
  return taken;
}

bool RingWire::is_drained() const {
  return std::ranges::all_of(to_program_,
                             [](const rte_ring* ring) { return rte_ring_empty(ring) != 0; });
}

}  // namespace postern::test
