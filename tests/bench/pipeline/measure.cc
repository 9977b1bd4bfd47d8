// SPDX-License-Identifier: BSD-3-Clause
// The rounds of a row.
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

long switches() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw + usage.ru_nvcsw;
}

// Other threads may be at work: nothing is torn down under them.
[[noreturn]] void give_up() {
  std::_Exit(1);
}

double ticks_of_packet(const Sum& sum) {
  return static_cast<double>(sum.ticks) / static_cast<double>(sum.packets);
}

double median_of(std::vector<double>& costs) {
  std::sort(costs.begin(), costs.end());
  return costs.empty() ? 0 : costs[costs.size() / 2];
}

}  // namespace

Rounds::Rounds(const Row& row, Stage& stage)
    : row_(row),
      work_(make_work(row, stage)),
      gateway_(stage.gateway()),
      slots_(row.bytes),
      nothing_(ticks_of_nothing()) {
  const FrameWriter writer(kLanRouterMac, kLanMac, row.bytes);
  for (unsigned i = 0; i < Slots::kCount; ++i)
    writer.write_payload(slots_.frame(i));
}

Sum Rounds::run(size_t packets, bool is_timed) {
  Sum sum;
  for (size_t done = 0; done < packets; done += Slots::kCount) {
    const auto block = static_cast<unsigned>(std::min<size_t>(Slots::kCount, packets - done));
    for (unsigned slot = 0; slot < block; ++slot)
      work_->write(slots_.frame(slot), slot);
    for (unsigned first = 0; first < block; first += kBurstMax) {
      burst(first, std::min(block, first + kBurstMax), is_timed, sum);
    }
  }
  return sum;
}

void Rounds::burst(unsigned first, unsigned end, bool is_timed, Sum& sum) {
  work_->before_burst(gateway_);
  for (unsigned slot = first; slot < end; ++slot) {
    gateway_.add(slots_.frame(slot), work_->length(), work_->ingress(slot), slot);
  }
  if (!is_timed) {
    gateway_.run();
    check(end - first);
    work_->after_burst(gateway_);
    return gateway_.finish();
  }
  const long switches_before = switches();
  uint64_t ticks = gateway_.run_timed() - nothing_;
  check(end - first);
  ticks += work_->after_burst(gateway_);
  const bool is_whole = switches() == switches_before;
  sum.ticks += is_whole ? ticks : 0;
  (is_whole ? sum.packets : sum.interrupted) += end - first;
  gateway_.finish();
}

void Rounds::check(unsigned expected) {
  unsigned right = 0;
  for (const Outbox::Item& item : gateway_.items()) {
    const auto handle = reinterpret_cast<uintptr_t>(item.packet->buffer);
    const auto slot = static_cast<unsigned>(handle - 1);
    if (work_->is_right(item, slot)) {
      ++right;
      continue;
    }
    std::fprintf(stderr, "bench: %s: a packet ended wrong: fate %d, reason %s\n", row_.work.c_str(),
                 static_cast<int>(item.verdict.fate), to_word(item.verdict.reason));
    give_up();
  }
  if (right == expected) return;
  std::fprintf(stderr, "bench: %s: of %u packets %u came out\n", row_.work.c_str(), expected,
               right);
  give_up();
}

void Measured::add(const Sum& sum) {
  packets += sum.packets;
  interrupted += sum.interrupted;
  ++rounds;
  if (sum.packets > 0) costs.push_back(ticks_of_packet(sum));
}

void Measured::add_control(const Sum& sum) {
  if (sum.packets > 0) control_costs.push_back(ticks_of_packet(sum));
}

void Measured::finish() {
  ticks_per_packet = median_of(costs);
  control = median_of(control_costs);
  if (!costs.empty()) ticks_per_packet_best = costs.front();
}

bool Effort::is_spent(unsigned rounds_done, double seconds_spent) const {
  return rounds_done >= rounds || (rounds_done >= kRoundsMin && seconds_spent > seconds);
}

Measured measure(const Row& row, Stage& stage, const Effort& effort) {
  Rounds rounds(row, stage);
  const size_t packets = effort.packets > 0 ? effort.packets : rounds.work().packets_in_round();
  for (unsigned i = 0; i < rounds.work().warm_rounds(); ++i)
    rounds.run(packets, false);
  Measured measured;
  const auto start = std::chrono::steady_clock::now();
  const auto spent = [start] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  while (!effort.is_spent(measured.rounds, spent())) {
    if (rounds.work().has_control()) {
      rounds.work().be_control(true);
      measured.add_control(rounds.run(packets, true));
      rounds.work().be_control(false);
    }
    measured.add(rounds.run(packets, true));
  }
  measured.finish();
  return measured;
}

}  // namespace postern::bench
