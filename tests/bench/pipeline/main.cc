// SPDX-License-Identifier: BSD-3-Clause
// postern_bench_pipeline: measures the packet path over frames in memory and prints one JSON object
// a row. `./dev bench pipeline` makes the table; this program alone is what to profile.
//
// Without arguments: the rows of the project's goals. With --work, --sessions, --rules or --bytes:
// every combination of what is named, and 65,536 sessions, 1,000 rules and 64 bytes where nothing
// is. --all: the whole matrix.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/pipeline/ticks.h"
#include "bench/pipeline/work.h"

namespace postern::bench {
namespace {

struct Options {
  std::vector<std::string> works;
  std::vector<uint32_t> sessions;
  std::vector<unsigned> rules, bytes;
  bool all = false, list = false;
  Effort effort;
};

bool is_established(const std::string& work) {
  return work == "outbound" || work == "inbound" || work == "mixed";
}

std::vector<Row> goal_rows() {
  return {{"outbound", 1024, 1000, 64},       {"outbound", 65536, 10, 64},
          {"outbound", 65536, 1000, 64},      {"inbound", 65536, 1000, 64},
          {"mixed", 65536, 1000, 64},         {"denied", 65536, 1000, 64},
          {"denied_logged", 65536, 1000, 64}, {"flooded", 65536, 1000, 64},
          {"reload", 65536, 1000, 64},        {"outbound", 65536, 10000, 64},
          {"outbound", 1048576, 1000, 64},    {"inbound", 1048576, 1000, 64},
          {"mixed", 1048576, 1000, 64},       {"new_session", 65536, 10, 64},
          {"new_session", 65536, 1000, 64},   {"new_session", 65536, 10000, 64}};
}

template <typename T>
std::vector<T> either(const std::vector<T>& named, std::vector<T> otherwise) {
  return named.empty() ? otherwise : named;
}

std::vector<Row> rows_of(const Options& options) {
  const bool is_named = !options.works.empty() || !options.sessions.empty() ||
                        !options.rules.empty() || !options.bytes.empty();
  if (!is_named && !options.all) return goal_rows();
  const bool all = options.all;
  const auto works = either(
      options.works, all ? all_works() : std::vector<std::string>{"outbound", "inbound", "mixed"});
  using Numbers = std::vector<unsigned>;
  const auto sessions =
      either(options.sessions, all ? Numbers{1, 1024, 65536, 1048576, 4194304} : Numbers{65536});
  const auto rules = either(options.rules, all ? Numbers{10, 1000, 10000} : Numbers{1000});
  const auto bytes = either(options.bytes, all ? Numbers{64, 512, 1500} : Numbers{64});
  std::vector<Row> rows;
  for (uint32_t n : sessions) {
    for (unsigned m : rules) {
      for (const std::string& work : works) {
        for (unsigned length : bytes) {
          // The size of the table is what new sessions and floods depend on, and no further than
          // these numbers; frames of one length will do.
          bool is_extra = !is_established(work) && (n < 1024 || n > 1048576 || length != 64);
          if (all && is_extra) continue;
          rows.push_back({work, n, m, length});
        }
      }
    }
  }
  return rows;
}

void print(const Row& row, const Measured& measured) {
  // Where every burst was interrupted nothing was measured.
  const double per_second =
      measured.packets > 0 ? ticks_per_second() / measured.ticks_per_packet : 0;
  std::printf(
      "{\"work\": \"%s\", \"sessions\": %u, \"rules\": %u, \"bytes\": %u, "
      "\"cycles_per_packet\": %.1f, \"cycles_per_packet_best\": %.1f, \"per_second\": %.0f, "
      "\"packets\": %lu, \"rounds\": %u, \"interrupted\": %lu}\n",
      row.work.c_str(), row.sessions, row.rules, row.bytes, measured.ticks_per_packet,
      measured.ticks_per_packet_best, per_second, static_cast<unsigned long>(measured.packets),
      measured.rounds, static_cast<unsigned long>(measured.interrupted));
  std::fflush(stdout);
}

int run(const Options& options) {
  std::printf("{\"tsc_hz\": %.0f}\n", ticks_per_second());
  std::unique_ptr<Stage> stage;
  std::string key;
  for (const Row& row : rows_of(options)) {
    if (stage == nullptr || stage_key(row).empty() || stage_key(row) != key) {
      stage.reset();  // its memory goes back first
      stage = std::make_unique<Stage>(scene_of(row), opened_before(row));
      key = stage_key(row);
    }
    print(row, measure(row, *stage, options.effort));
  }
  return 0;
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
  using namespace postern::bench;
  Options options;
  CLI::App app("Measures the packet path over frames in memory.", "postern_bench_pipeline");
  app.add_option("--work", options.works, "works")
      ->delimiter(',')
      ->check(CLI::IsMember(all_works()));
  app.add_option("--sessions", options.sessions, "sessions")
      ->delimiter(',')
      ->check(CLI::Range(1, 4194304));
  app.add_option("--rules", options.rules, "rules")->delimiter(',')->check(CLI::Range(1, 20000));
  app.add_option("--bytes", options.bytes, "bytes of a frame, with FCS")
      ->delimiter(',')
      ->check(CLI::Range(64, 1518));
  app.add_flag("--all", options.all, "the whole matrix");
  app.add_option("--rounds", options.effort.rounds, "rounds of a row at most");
  app.add_option("--seconds", options.effort.seconds,
                 "a row's time, of which three rounds are due");
  app.add_option("--packets", options.effort.packets, "packets of a round");
  CLI11_PARSE(app, argc, argv);
  return run(options);
}
