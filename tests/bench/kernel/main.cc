// SPDX-License-Identifier: BSD-3-Clause
// postern_bench_sender INSIDE OUTSIDE FLOWS BYTES GATEWAY-MAC
//
// Sends the scene's flows through the kernel, from lan0 of the namespace INSIDE to wan0 of the
// namespace OUTSIDE. Reads commands, one a line, as postern_bench_generator does:
//
//   open                   each flow once, answered from outside: conntrack has seen both
//   directions flood SECONDS one TID  as fast as it goes, counted where it arrives
#include <x86intrin.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "bench/common/scene.h"
#include "bench/kernel/sockets.h"
#include "bench/wire/slices.h"

namespace postern::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kBatch = 64;      // frames between two calls of the kernel
constexpr uint64_t kOnTheWay = 256;  // packets, while sessions open
constexpr unsigned kAttempts = 4;
constexpr auto kPatience = std::chrono::milliseconds(300);
constexpr unsigned kFrameMax = 2048;

double ticks_per_second() {
  const auto from = Clock::now();
  const uint64_t first = __rdtsc();
  while (Clock::now() - from < std::chrono::milliseconds(50)) {
  }
  const uint64_t last = __rdtsc();
  return static_cast<double>(last - first) /
         std::chrono::duration<double>(Clock::now() - from).count();
}

class Sender {
 public:
  Sender(const std::string& inside, std::string outside, uint32_t flows, const FrameWriter& writer)
      : outside_(std::move(outside)), writer_(writer) {
    for (uint32_t i = 0; i < flows; ++i)
      flows_.push_back(make_flow(i));
    std::vector<Flow> order = flows_;
    shuffle(order);
    for (const Flow& flow : order)
      stamps_.push_back(writer_.stamp_of(flow.sent));
    enter_namespace(inside);
    ring_ = std::make_unique<SendingRing>("lan0", writer_);
    enter_namespace(outside_);
    arrived_ = std::make_unique<ReceiveCounter>("wan0");
  }

  void open();
  void flood(double seconds, int thread);

 private:
  bool send_numbered(uint32_t number);
  bool answer(Tap& tap);
  void open_rest(Tap& tap);

  std::string outside_;
  const FrameWriter& writer_;
  std::vector<Flow> flows_;    // external endpoints as learned
  std::vector<Stamp> stamps_;  // in the order of sending
  size_t next_ = 0;
  uint64_t checked_ = 0, wrong_ = 0;
  std::unique_ptr<SendingRing> ring_;
  std::unique_ptr<ReceiveCounter> arrived_;
  const double tsc_hz_ = ticks_per_second();
};

bool Sender::send_numbered(uint32_t number) {
  uint8_t* frame = ring_->next();
  if (frame == nullptr) return false;
  writer_.write_payload(frame);
  writer_.write_headers(frame, flows_[number].sent);
  write_number(frame, number);
  ring_->commit();
  return true;
}

// Takes one packet that came out, checks it, and sends it back. False: none is there.
bool Sender::answer(Tap& tap) {
  uint8_t frame[kFrameMax];
  const unsigned length = tap.receive(frame, sizeof frame);
  if (length == 0) return false;
  if (!is_udp(frame, length) || number_of(frame) >= flows_.size()) return true;
  Flow& flow = flows_[number_of(frame)];
  const Tuple tuple = tuple_of(frame);
  flow.external = tuple.source;
  flow.external_port = tuple.source_port;
  const uint32_t place = tuple.source.value() - kPool.number;
  ++checked_;
  if (!checksums_hold(frame, length) || tuple != flow.translated() ||
      place >= pool_size(static_cast<uint32_t>(flows_.size()))) {
    ++wrong_;
  }
  turn_round(frame, kWanRouterMac, kWanMac);
  tap.send(frame, length);
  return true;
}

void Sender::open_rest(Tap& tap) {
  auto last = Clock::now();
  uint64_t on_the_way = 0;
  uint32_t number = 0;
  const auto total = static_cast<uint32_t>(flows_.size());
  while (Clock::now() - last < kPatience && (number < total || on_the_way > 0)) {
    for (; number < total && on_the_way < kOnTheWay; ++number) {
      if (flows_[number].external != be32()) continue;
      if (!send_numbered(number)) break;
      ++on_the_way;
    }
    ring_->push();
    while (answer(tap)) {
      on_the_way -= on_the_way > 0 ? 1 : 0;
      last = Clock::now();
    }
  }
}

void Sender::open() {
  checked_ = wrong_ = 0;
  enter_namespace(outside_);
  Tap tap("wan0");
  const auto is_open = [](const Flow& flow) { return flow.external != be32(); };
  for (unsigned i = 0; i < kAttempts && !std::all_of(flows_.begin(), flows_.end(), is_open); ++i) {
    open_rest(tap);
  }
  std::printf("{\"opened\": %ld, \"checked\": %lu, \"wrong\": %lu}\n",
              static_cast<long>(std::count_if(flows_.begin(), flows_.end(), is_open)),
              static_cast<unsigned long>(checked_), static_cast<unsigned long>(wrong_));
}

void Sender::flood(double seconds, int thread) {
  ring_->prepare(writer_);
  Slices slices(thread, tsc_hz_);
  const uint64_t before = arrived_->read(), start = __rdtsc();
  const uint64_t end = start + static_cast<uint64_t>(seconds * tsc_hz_);
  slices.begin(start);
  for (uint64_t now = start; now < end; now = __rdtsc()) {
    unsigned made = 0;
    for (; made < kBatch; ++made) {
      uint8_t* frame = ring_->next();
      if (frame == nullptr) break;
      FrameWriter::write_stamp(frame, stamps_[next_]);
      if (++next_ == stamps_.size()) next_ = 0;
      ring_->commit();
    }
    if (made > 0) ring_->push();
    if (slices.is_due(now)) slices.note(now, arrived_->read() - before);
  }
  const Slices::Summary summary = slices.summary();
  std::printf(
      "{\"per_second\": %.0f, \"per_second_best\": %.0f, \"clean_share\": %.3f, "
      "\"mean_per_second\": %.0f, \"lost_share\": 0, \"checked\": 0, \"wrong\": 0, "
      "\"tsc_hz\": %.0f}\n",
      summary.median, summary.best, summary.clean_share,
      static_cast<double>(arrived_->read() - before) / seconds, tsc_hz_);
}

MacAddress mac_of(const char* text) {
  MacAddress mac;
  unsigned b[6] = {};
  if (std::sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) == 6) {
    for (int i = 0; i < 6; ++i)
      mac.bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(b[i]);
  }
  return mac;
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
  using namespace postern::bench;
  if (argc != 6) {
    std::fputs("usage: postern_bench_sender INSIDE OUTSIDE FLOWS BYTES GATEWAY-MAC\n", stderr);
    return 2;
  }
  const FrameWriter writer(kLanRouterMac, mac_of(argv[5]),
                           static_cast<unsigned>(std::strtoul(argv[4], nullptr, 10)));
  Sender sender(argv[1], argv[2], static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10)),
                writer);
  std::puts("{\"ready\": true}");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line); std::fflush(stdout)) {
    std::istringstream words(line);
    std::string command;
    std::string ways;
    double seconds = 1;
    int thread = 0;
    words >> command >> seconds >> ways >> thread;
    if (command == "open") {
      sender.open();
    } else if (command == "flood") {
      sender.flood(seconds, thread);
    }
  }
  return 0;
}
