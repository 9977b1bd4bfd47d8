// SPDX-License-Identifier: BSD-3-Clause
// Opening sessions and looking at every packet: frames carry the number of their flow.
#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <algorithm>

#include "bench/common/scene.h"
#include "bench/wire/traffic.h"

namespace postern::bench {
namespace {

constexpr unsigned kOnTheWay = 256;  // packets
constexpr unsigned kAttempts = 4;
// Seconds without a packet: until the device forwards at all, and once it does.
constexpr double kFirstPatience = 3, kPatience = 0.3;

uint64_t patience(bool has_begun) {
  const double seconds = has_begun ? kPatience : kFirstPatience;
  return static_cast<uint64_t>(seconds * static_cast<double>(rte_get_tsc_hz()));
}

bool is_known(const Flow& flow) {
  return flow.external != be32();
}

}  // namespace

uint32_t Traffic::open_all() {
  ports_.prepare(writer_);
  counts_ = Counts{};
  const auto total = static_cast<uint32_t>(flows_.size());
  for (unsigned attempt = 0; attempt < kAttempts; ++attempt) {
    uint64_t last = rte_rdtsc();
    uint64_t sent_before = counts_.sent, out_before = counts_.out;
    uint32_t number = 0;
    while (rte_rdtsc() - last < patience(counts_.out > 0)) {
      const uint64_t on_the_way = counts_.sent - sent_before - (counts_.out - out_before);
      if (number < total && on_the_way < kOnTheWay) {
        if (is_known(flows_[number])) {
          ++number;
          continue;
        }
        const unsigned count = std::min(kGeneratorBurst, total - number);
        number += send_numbered(number, count);
      }
      if (receive_numbered(false) > 0) last = rte_rdtsc();
      if (number == total && counts_.sent - sent_before == counts_.out - out_before) break;
    }
    if (std::all_of(flows_.begin(), flows_.end(), is_known)) break;
  }
  counts_.wrong += translates_ ? count_shared() : 0;
  return static_cast<uint32_t>(std::count_if(flows_.begin(), flows_.end(), is_known));
}

uint32_t Traffic::verify(uint32_t count) {
  ports_.prepare(writer_);
  counts_ = Counts{};
  const auto total = static_cast<uint32_t>(flows_.size());
  count = std::min(count, total);
  const uint32_t step = total / count;
  uint64_t last = rte_rdtsc();
  for (uint32_t done = 0; rte_rdtsc() - last < patience(true) && counts_.back < count;) {
    if (done < count && counts_.sent - counts_.back < kOnTheWay) {
      done += send_numbered(done * step, 1);
    }
    if (receive_numbered(true) > 0) last = rte_rdtsc();
  }
  return static_cast<uint32_t>(counts_.back);
}

unsigned Traffic::send_numbered(uint32_t first, unsigned count) {
  std::array<rte_mbuf*, kGeneratorBurst> buffers;
  if (ports_.take(buffers.data(), count) == 0) return 0;
  for (unsigned i = 0; i < count; ++i) {
    buffers[i]->data_len = writer_.length();
    buffers[i]->pkt_len = writer_.length();
    uint8_t* frame = frame_of(buffers[i]);
    writer_.write_payload(frame);
    writer_.write_headers(frame, flows_[first + i].sent);
    write_number(frame, first + i);
  }
  const unsigned sent =
      rte_eth_tx_burst(Ports::kInside, 0, buffers.data(), static_cast<uint16_t>(count));
  counts_.sent += sent;
  rte_pktmbuf_free_bulk(buffers.data() + sent, count - sent);
  return sent;
}

unsigned Traffic::receive_numbered(bool both_ways) {
  std::array<rte_mbuf*, kGeneratorBurst> buffers;
  unsigned total = 0;
  for (const uint16_t port : {Ports::kOutside, Ports::kInside}) {
    const unsigned received = rte_eth_rx_burst(port, 0, buffers.data(), kGeneratorBurst);
    for (unsigned i = 0; i < received; ++i) {
      uint8_t* frame = frame_of(buffers[i]);
      const unsigned length = buffers[i]->data_len;
      bool is_gone = false;
      if (is_udp(frame, length) && number_of(frame) < flows_.size()) {
        ++total;
        const uint32_t number = number_of(frame);
        port == Ports::kOutside ? check_out(frame, length, number)
                                : check_back(frame, length, number);
        if (port == Ports::kOutside && both_ways) {
          turn_round(frame, kWanRouterMac, kWanMac);
          is_gone = rte_eth_tx_burst(port, 0, &buffers[i], 1) == 1;
        }
      }
      if (!is_gone) rte_pktmbuf_free(buffers[i]);
    }
  }
  return total;
}

void Traffic::check_out(const uint8_t* frame, unsigned length, uint32_t number) {
  ++counts_.out;
  ++counts_.checked;
  Flow& flow = flows_[number];
  const Tuple tuple = tuple_of(frame);
  const bool was_known = is_known(flow);
  if (!was_known) {
    flow.external = tuple.source;
    flow.external_port = tuple.source_port;
  }
  if (!translates_) return;
  // A mapping stays, and its address is one of the pool's.
  const uint32_t place = tuple.source.value() - kPool.number;
  const bool right = checksums_hold(frame, length) && tuple == flow.translated() &&
                     place < pool_size(static_cast<uint32_t>(flows_.size()));
  counts_.wrong += right ? 0 : 1;
}

void Traffic::check_back(const uint8_t* frame, unsigned length, uint32_t number) {
  ++counts_.back;
  ++counts_.checked;
  if (!translates_) return;
  const bool right =
      checksums_hold(frame, length) && tuple_of(frame) == flows_[number].answer_translated();
  counts_.wrong += right ? 0 : 1;
}

// RFC4787-REQ3: no two flows have one external endpoint.
uint32_t Traffic::count_shared() const {
  std::vector<uint64_t> endpoints;
  for (const Flow& flow : flows_) {
    if (!is_known(flow)) continue;
    endpoints.push_back(uint64_t{flow.external.value()} << 16 | flow.external_port.value());
  }
  std::sort(endpoints.begin(), endpoints.end());
  const auto end = std::unique(endpoints.begin(), endpoints.end());
  return static_cast<uint32_t>(endpoints.end() - end);
}

}  // namespace postern::bench
