// SPDX-License-Identifier: BSD-3-Clause
// postern_bench_generator DIRECTORY CORE FLOWS BYTES translates|plain
//
// A traffic generator for a device under test with two memif ports, lan.sock and wan.sock in
// DIRECTORY. It reads commands, one a line, and answers each with one JSON object:
//
//   open                        opens the sessions, and checks every packet
//   verify N                    sends N flows once more, in both directions
//   flood SECONDS one|both TID  sends as fast as it goes; TID is the device's forwarding thread
#include <rte_cycles.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include "bench/wire/traffic.h"

namespace postern::bench {
namespace {

constexpr double kLinkSeconds = 30;

void print_checked(const char* key, uint32_t number, const Counts& counts) {
  std::printf("{\"%s\": %u, \"checked\": %lu, \"wrong\": %lu}\n", key, number,
              static_cast<unsigned long>(counts.checked), static_cast<unsigned long>(counts.wrong));
}

void flood(Traffic& traffic, std::istream& words) {
  double seconds = 1;
  std::string ways;
  int thread = 0;
  words >> seconds >> ways >> thread;
  Slices slices(thread, static_cast<double>(rte_get_tsc_hz()));
  const Counts counts = traffic.flood(seconds, ways == "both", slices);
  const Slices::Summary summary = slices.summary();
  const auto came = static_cast<double>(counts.out + counts.back);
  const auto went = static_cast<double>(counts.sent + counts.returned);
  std::printf(
      "{\"per_second\": %.0f, \"per_second_best\": %.0f, \"clean_share\": %.3f, "
      "\"mean_per_second\": %.0f, \"lost_share\": %.5f, \"ring_full_share\": %.3f, "
      "\"checked\": %lu, \"wrong\": %lu, \"tsc_hz\": %lu}\n",
      summary.median, summary.best, summary.clean_share, came / seconds,
      went > came ? (went - came) / went : 0,
      counts.offers > 0 ? static_cast<double>(counts.cut) / static_cast<double>(counts.offers) : 0,
      static_cast<unsigned long>(counts.checked), static_cast<unsigned long>(counts.wrong),
      static_cast<unsigned long>(rte_get_tsc_hz()));
}

void serve(Ports& ports, Traffic& traffic) {
  for (std::string line; std::getline(std::cin, line); std::fflush(stdout)) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "open") {
      if (!ports.wait_for_links(kLinkSeconds)) {
        std::fprintf(stderr, "generator: the device under test does not connect\n");
        std::exit(1);
      }
      const uint32_t opened = traffic.open_all();
      print_checked("opened", opened, traffic.counts());
    } else if (command == "verify") {
      uint32_t count = 1;
      words >> count;
      const uint32_t verified = traffic.verify(count);
      print_checked("verified", verified, traffic.counts());
    } else if (command == "flood") {
      flood(traffic, words);
    }
  }
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
  using namespace postern::bench;
  if (argc != 6) {
    std::fputs("usage: postern_bench_generator DIRECTORY CORE FLOWS BYTES translates|plain\n",
               stderr);
    return 2;
  }
  const auto flows = static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10));
  const auto bytes = static_cast<unsigned>(std::strtoul(argv[4], nullptr, 10));
  Ports ports(argv[1], static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10)));
  Traffic traffic(ports, flows, bytes, std::string(argv[5]) == "translates");
  std::puts("{\"ready\": true}");
  std::fflush(stdout);
  serve(ports, traffic);
  return 0;
}
