// SPDX-License-Identifier: BSD-3-Clause
#include "bench/wire/traffic.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <algorithm>

#include "bench/common/scene.h"

namespace postern::bench {
namespace {

constexpr uint64_t kLookEvery = 64;  // bursts

bool is_in_pool(be32 address, uint32_t flows) {
  return address.value() - kPool.number < pool_size(flows);
}

}  // namespace

Traffic::Traffic(Ports& ports, uint32_t flows, unsigned bytes, bool translates)
    : ports_(ports), writer_(kLanRouterMac, kLanMac, bytes), translates_(translates) {
  flows_.reserve(flows);
  for (uint32_t i = 0; i < flows; ++i)
    flows_.push_back(make_flow(i));
  std::vector<Flow> order = flows_;
  shuffle(order);
  stamps_.reserve(flows);
  for (const Flow& flow : order)
    stamps_.push_back(writer_.stamp_of(flow.sent));
}

Counts Traffic::flood(double seconds, bool both_ways, Slices& slices) {
  ports_.prepare(writer_);
  counts_ = Counts{};
  const uint64_t start = rte_rdtsc();
  const uint64_t end =
      start + static_cast<uint64_t>(seconds * static_cast<double>(rte_get_tsc_hz()));
  slices.begin(start);
  for (uint64_t now = start; now < end; now = rte_rdtsc()) {
    send_some();
    receive(Ports::kOutside, both_ways);
    if (both_ways) receive(Ports::kInside, false);
    if (slices.is_due(now)) slices.note(now, counts_.out + counts_.back);
  }
  const Counts counted = counts_;
  // What is still on its way must not be taken for the next run's.
  rte_pktmbuf_free_bulk(kept_.data(), kept_count_);
  kept_count_ = 0;
  for (const uint64_t quiet = rte_rdtsc() + rte_get_tsc_hz() / 50; rte_rdtsc() < quiet;) {
    receive(Ports::kOutside, false);
    receive(Ports::kInside, false);
  }
  return counted;
}

void Traffic::send_some() {
  if (kept_count_ < kGeneratorBurst) {
    const unsigned wanted = kGeneratorBurst - kept_count_;
    const unsigned taken = ports_.take(&kept_[kept_count_], wanted);
    for (unsigned i = 0; i < taken; ++i) {
      rte_mbuf* buffer = kept_[kept_count_ + i];
      buffer->data_len = writer_.length();
      buffer->pkt_len = writer_.length();
      FrameWriter::write_stamp(frame_of(buffer), stamps_[next_]);
      if (++next_ == stamps_.size()) next_ = 0;
    }
    kept_count_ += taken;
  }
  const unsigned sent =
      rte_eth_tx_burst(Ports::kInside, 0, kept_.data(), static_cast<uint16_t>(kept_count_));
  ++counts_.offers;
  counts_.cut += sent < kept_count_ ? 1 : 0;
  counts_.sent += sent;
  kept_count_ -= sent;
  std::copy_n(kept_.data() + sent, kept_count_, kept_.data());
}

void Traffic::receive(uint16_t port, bool both_ways) {
  std::array<rte_mbuf*, kGeneratorBurst> buffers;
  const unsigned received = rte_eth_rx_burst(port, 0, buffers.data(), kGeneratorBurst);
  if (received == 0) return;
  unsigned ours = 0;
  for (unsigned i = 0; i < received; ++i) {
    if (!is_udp(frame_of(buffers[i]), buffers[i]->data_len)) {
      rte_pktmbuf_free(buffers[i]);
      continue;
    }
    buffers[ours++] = buffers[i];
  }
  if (ours > 0 && ++bursts_ % kLookEvery == 0) look_at(buffers[0], port);
  (port == Ports::kOutside ? counts_.out : counts_.back) += ours;
  unsigned gone = 0;
  if (both_ways) {
    for (unsigned i = 0; i < ours; ++i)
      turn_round(frame_of(buffers[i]), kWanRouterMac, kWanMac);
    gone = rte_eth_tx_burst(Ports::kOutside, 0, buffers.data(), static_cast<uint16_t>(ours));
    counts_.returned += gone;
  }
  rte_pktmbuf_free_bulk(buffers.data() + gone, ours - gone);
}

void Traffic::look_at(rte_mbuf* buffer, uint16_t port) {
  const uint8_t* frame = frame_of(buffer);
  const Tuple tuple = tuple_of(frame);
  bool right = checksums_hold(frame, buffer->data_len);
  if (translates_) {
    const auto size = static_cast<uint32_t>(flows_.size());
    const bool inside = Ipv4Address(tuple.destination).number >> 24 == kFirstHost.number >> 24;
    right = right && (port == Ports::kOutside ? is_in_pool(tuple.source, size) : inside);
  }
  ++counts_.checked;
  counts_.wrong += right ? 0 : 1;
}

}  // namespace postern::bench
