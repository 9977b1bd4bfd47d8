// SPDX-License-Identifier: BSD-3-Clause
// The rounds of a row: blocks of frames are written, then go through the gateway burst by burst.
//
// Timed is what the pipeline does with a burst and with the turn after it, and nothing else. A
// block of frames is written before its first burst, so that a frame has left the first-level
// cache when its turn comes. A burst during which another program had the core does not count.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "bench/pipeline/ticks.h"
#include "bench/pipeline/work.h"

namespace postern::bench {
namespace {

constexpr unsigned kRoundsMin = 3;

struct Sum {
  uint64_t ticks = 0, packets = 0, interrupted = 0;
};

long switches() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw + usage.ru_nvcsw;
}

class Rounds {
 public:
  Rounds(const Row& row, Work& work, Gateway& gateway)
      : row_(row), work_(work), gateway_(gateway), slots_(row.bytes) {
    const FrameWriter writer(kLanRouterMac, kLanMac, row.bytes);
    for (unsigned i = 0; i < Slots::kCount; ++i)
      writer.write_payload(slots_.frame(i));
  }

  Sum run(size_t packets, bool is_timed) {
    Sum sum;
    for (size_t done = 0; done < packets; done += Slots::kCount) {
      const auto block = static_cast<unsigned>(std::min<size_t>(Slots::kCount, packets - done));
      for (unsigned slot = 0; slot < block; ++slot)
        work_.write(slots_.frame(slot), slot);
      for (unsigned first = 0; first < block; first += kBurstMax) {
        burst(first, std::min(block, first + kBurstMax), is_timed, sum);
      }
    }
    return sum;
  }

 private:
  void burst(unsigned first, unsigned end, bool is_timed, Sum& sum) {
    work_.before_burst(gateway_);
    for (unsigned slot = first; slot < end; ++slot) {
      gateway_.add(slots_.frame(slot), work_.length(), work_.ingress(slot), slot);
    }
    if (!is_timed) {
      gateway_.run();
      check(end - first);
      work_.after_burst(gateway_);
      return gateway_.finish();
    }
    const long switches_before = switches();
    uint64_t ticks = gateway_.run_timed() - nothing_;
    check(end - first);
    ticks += work_.after_burst(gateway_);
    const bool is_whole = switches() == switches_before;
    sum.ticks += is_whole ? ticks : 0;
    (is_whole ? sum.packets : sum.interrupted) += end - first;
    gateway_.finish();
  }

  void check(unsigned expected) {
    unsigned right = 0;
    for (const Outbox::Item& item : gateway_.items()) {
      const auto handle = reinterpret_cast<uintptr_t>(item.packet->buffer);
      const auto slot = static_cast<unsigned>(handle - 1);
      if (work_.is_right(item, slot)) {
        ++right;
        continue;
      }
      std::fprintf(stderr, "bench: %s: a packet ended wrong: fate %d, reason %s\n",
                   row_.work.c_str(), static_cast<int>(item.verdict.fate),
                   to_word(item.verdict.reason));
      std::exit(1);
    }
    if (right == expected) return;
    std::fprintf(stderr, "bench: %s: of %u packets %u came out\n", row_.work.c_str(), expected,
                 right);
    std::exit(1);
  }

  const Row& row_;
  Work& work_;
  Gateway& gateway_;
  Slots slots_;
  const uint64_t nothing_ = ticks_of_nothing();
};

}  // namespace

Measured measure(const Row& row, Stage& stage, const Effort& effort) {
  const std::unique_ptr<Work> work = make_work(row, stage);
  Rounds rounds(row, *work, stage.gateway());
  const size_t packets = effort.packets > 0 ? effort.packets : work->packets_in_round();
  for (unsigned i = 0; i < work->warm_rounds(); ++i)
    rounds.run(packets, false);
  Measured measured;
  std::vector<double> costs;
  const auto start = std::chrono::steady_clock::now();
  while (measured.rounds < effort.rounds) {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    if (measured.rounds >= kRoundsMin && spent.count() > effort.seconds) break;
    const Sum sum = rounds.run(packets, true);
    measured.packets += sum.packets;
    measured.interrupted += sum.interrupted;
    ++measured.rounds;
    if (sum.packets > 0) {
      costs.push_back(static_cast<double>(sum.ticks) / static_cast<double>(sum.packets));
    }
  }
  if (costs.empty()) return measured;
  std::sort(costs.begin(), costs.end());
  measured.ticks_per_packet = costs[costs.size() / 2];
  measured.ticks_per_packet_best = costs.front();
  return measured;
}

}  // namespace postern::bench
