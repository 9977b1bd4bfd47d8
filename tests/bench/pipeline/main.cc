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

#include "bench/pipeline/crew.h"
#include "bench/pipeline/ticks.h"
#include "bench/pipeline/work.h"

namespace postern::bench {
namespace {

constexpr unsigned kRoundsTogether = 31;

struct Options {
  std::vector<std::string> works;
  std::vector<uint32_t> sessions;
  std::vector<unsigned> rules, bytes;
  bool all = false;
  unsigned workers = 1;
  Effort effort;
};

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
  if (!is_named && !options.all && options.workers == 1) return goal_rows();
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

void print(const Row& row, const Measured& measured, double bytes_per_session) {
  // Where every burst was interrupted nothing was measured.
  const double per_second =
      measured.packets > 0 ? ticks_per_second() / measured.ticks_per_packet : 0;
  std::printf(
      "{\"work\": \"%s\", \"sessions\": %u, \"rules\": %u, \"bytes\": %u, "
      "\"cycles_per_packet\": %.1f, \"cycles_per_packet_best\": %.1f, \"per_second\": %.0f, "
      "\"packets\": %lu, \"rounds\": %u, \"interrupted\": %lu, \"bytes_per_session\": %.1f",
      row.work.c_str(), row.sessions, row.rules, row.bytes, measured.ticks_per_packet,
      measured.ticks_per_packet_best, per_second, static_cast<unsigned long>(measured.packets),
      measured.rounds, static_cast<unsigned long>(measured.interrupted), bytes_per_session);
  if (measured.control > 0) {
    std::printf(", \"cycles_per_packet_control\": %.1f, \"times_control\": %.3f", measured.control,
                measured.ticks_per_packet / measured.control);
  }
  std::printf("}\n");
  std::fflush(stdout);
}

int fail(const std::string& complaint) {
  std::fprintf(stderr, "%s\n", complaint.c_str());
  return 1;
}

// What a row is with several workers: what a packet costs each of them, and how many times the rate
// of one alone they reach together.
void print(const Row& row, const std::vector<Colleague>& crew) {
  Measured sum;
  double alone = 0, per_second = 0, times_one = 0;
  std::string each;
  for (const Colleague& one : crew) {
    const double count = static_cast<double>(crew.size());
    sum.ticks_per_packet += one.together.ticks_per_packet / count;
    sum.ticks_per_packet_best += one.together.ticks_per_packet_best / count;
    sum.packets += one.together.packets;
    sum.interrupted += one.together.interrupted;
    alone += one.alone.ticks_per_packet / count;
    if (one.together.packets > 0) {
      per_second += ticks_per_second() / one.together.ticks_per_packet;
      times_one += one.alone.ticks_per_packet / one.together.ticks_per_packet;
    }
    char text[128];
    std::snprintf(text, sizeof text,
                  "%s{\"core\": %u, \"sessions\": %u, \"alone\": %.1f, \"together\": %.1f}",
                  each.empty() ? "" : ", ", one.core, one.sessions, one.alone.ticks_per_packet,
                  one.together.ticks_per_packet);
    each += text;
  }
  std::printf(
      "{\"work\": \"%s\", \"sessions\": %u, \"rules\": %u, \"bytes\": %u, \"workers\": %zu, "
      "\"cycles_per_packet\": %.1f, \"cycles_per_packet_best\": %.1f, "
      "\"cycles_per_packet_alone\": %.1f, \"times_one\": %.3f, \"per_second\": %.0f, "
      "\"packets\": %lu, \"rounds\": %u, \"interrupted\": %lu, \"by_worker\": [%s]}\n",
      row.work.c_str(), row.sessions, row.rules, row.bytes, crew.size(), sum.ticks_per_packet,
      sum.ticks_per_packet_best, alone, times_one, per_second,
      static_cast<unsigned long>(sum.packets), crew.front().together.rounds,
      static_cast<unsigned long>(sum.interrupted), each.c_str());
  std::fflush(stdout);
}

int run_crews(const Options& options) {
  const std::vector<unsigned> cores = cores_for(options.workers);
  if (cores.empty()) {
    return fail(std::to_string(options.workers) + " workers need as many cores, each its own; " +
                "there are fewer");
  }
  for (const Row& row : rows_of(options)) {
    if (!is_established(row.work)) return fail(row.work + " is measured with one worker only");
  }
  std::printf("{\"tsc_hz\": %.0f}\n", ticks_per_second());
  for (const Row& row : rows_of(options))
    print(row, measure(row, cores, options.effort));
  return 0;
}

int run(const Options& options) {
  if (options.workers > 1) return run_crews(options);
  std::printf("{\"tsc_hz\": %.0f}\n", ticks_per_second());
  std::unique_ptr<Site> site;
  std::unique_ptr<Stage> stage;
  std::string key;
  for (const Row& row : rows_of(options)) {
    if (stage == nullptr || stage_key(row).empty() || stage_key(row) != key) {
      stage.reset();  // its memory goes back first
      site = std::make_unique<Site>(scene_of(row), 1);
      stage = std::make_unique<Stage>(*site, 0, flows_of(site->shards(), 0, opened_before(row)));
      key = stage_key(row);
    }
    print(row, measure(row, *stage, options.effort), stage->gateway().bytes_per_session());
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
  app.add_option("--workers", options.workers, "of one gateway, each on a core of its own")
      ->check(CLI::Range(1U, postern::kWorkersMax));
  app.add_flag("--all", options.all, "the whole matrix");
  auto* rounds = app.add_option("--rounds", options.effort.rounds, "rounds of a row at most");
  app.add_option("--seconds", options.effort.seconds,
                 "a row's time, of which three rounds are due");
  app.add_option("--packets", options.effort.packets, "packets of a round");
  CLI11_PARSE(app, argc, argv);
  // A ratio is told from noise by more of them.
  if (options.workers > 1 && rounds->count() == 0) options.effort.rounds = kRoundsTogether;
  return run(options);
}
