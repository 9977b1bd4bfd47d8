// SPDX-License-Identifier: BSD-3-Clause
// Cycles per look-up of the compiled classifier, beside the ordered list and DPDK's librte_acl over
// the same rules and the same queries, which come near the rules at random. All take turns within
// one run; of each the fastest quarter's slowest turn counts, as a machine has other work, too.
// With --json one object of rows {"work": "classify", "set", "how", "rules", "cycles_per_packet",
// "build_ms", "bytes"}.
#include <rte_eal.h>
#include <x86intrin.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "bench/classify/acl.h"
#include "dataplane/filter/classifier.h"
#include "dataplane/filter/ruleset.h"
#include "unit/filter/rule_sets.h"

namespace postern::bench {
namespace {

constexpr size_t kQueries = 8192;
constexpr size_t kListQueries = 32;  // the list is slow
constexpr int kTurns = 40;

using Rules = std::vector<Rule>;
using Queries = std::vector<FlowQuery>;

struct Row {
  std::string set, how;
  size_t rules = 0;
  double cycles = 0, build_ms = 0;
  size_t bytes = 0;
};

// One way to answer `queries` queries, and what its turns took.
struct Contender {
  std::string how;
  size_t queries = 0;
  std::function<void(uint16_t*)> run;
  double build_ms = 0;
  size_t bytes = 0;
  std::vector<double> turns = {};
};

template <class Work>
double milliseconds(Work work) {
  auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

// Packets of the sets of last_permits: most are for its last rule.
FlowQuery office_query(test::Random& random) {
  FlowQuery query;
  query.in = 0;
  query.out = 1;
  query.protocol = random() % 4 == 0 ? protocol::udp : protocol::tcp;
  query.source = Ipv4Address(0xC0A80000 + static_cast<uint32_t>(random() % 4096));
  query.destination = query.original_destination =
      Ipv4Address(0xC6120000 + static_cast<uint32_t>(random() % 16384));
  query.source_port = static_cast<uint16_t>(1024 + random() % 60000);
  query.destination_port = random() % 2 == 0 ? uint16_t{443} : uint16_t{53};
  return query;
}

// The compiled rules in each variant that the machine has, one by one and in bulk.
void add_compiled(const Rules& rules, const Queries& queries, std::vector<Contender>& contenders) {
  std::vector<uint16_t> all(rules.size());
  std::iota(all.begin(), all.end(), uint16_t{0});
  constexpr const char* kVariants[] = {"plain", "avx2", "avx512"};
  for (int i = 0; i <= static_cast<int>(Classifier::best_variant()); ++i) {
    std::shared_ptr<const Classifier> built;
    double ms = milliseconds([&] {
      built =
          Classifier::build(rules, all, kClassifierBytesMax, static_cast<Classifier::Variant>(i));
    });
    if (built == nullptr) {
      std::fprintf(stderr, "%zu rules: defeated after %.0f ms\n", rules.size(), ms);
      return;
    }
    std::string name = kVariants[i];
    auto one_by_one = [built, &rules, &queries](uint16_t* found) {
      for (const FlowQuery& query : queries)
        *found++ = built->find_first(rules, query, 0);
    };
    auto bulk = [built, &rules, &queries](uint16_t* found) {
      for (size_t at = 0; at < queries.size(); at += kBurstMax) {
        size_t n = std::min<size_t>(kBurstMax, queries.size() - at);
        built->find_first_bulk(rules, std::span(&queries[at], n), found + at);
      }
    };
    contenders.push_back({"one by one, " + name, queries.size(), one_by_one, ms, built->bytes()});
    contenders.push_back({"bulk, " + name, queries.size(), bulk, ms, built->bytes()});
  }
}

void add_list(const Rules& rules, const Queries& queries, std::vector<Contender>& contenders) {
  auto run = [&rules, &queries](uint16_t* found) {
    for (size_t i = 0; i < kListQueries; ++i) {
      auto first = std::find_if(rules.begin(), rules.end(),
                                [&](const Rule& rule) { return matches(rule, queries[i]); });
      found[i] = first == rules.end() ? kNoRule : static_cast<uint16_t>(first - rules.begin());
    }
  };
  contenders.push_back({"ordered list", kListQueries, run});
}

void add_library(const Rules& rules, const Queries& queries, std::vector<Contender>& contenders) {
  std::shared_ptr<Acl> acl;
  double ms = milliseconds([&] { acl = Acl::build(rules); });
  if (acl == nullptr) {
    std::fprintf(stderr, "%zu rules: librte_acl is defeated after %.0f ms\n", rules.size(), ms);
    return;
  }
  acl->lay_out(queries);
  auto bulk = [acl](uint16_t* found) { acl->classify(found, kBurstMax); };
  auto one_by_one = [acl](uint16_t* found) { acl->classify(found, 1); };
  contenders.push_back({"rte_acl, bulk", queries.size(), bulk, ms});
  contenders.push_back({"rte_acl, one by one", queries.size(), one_by_one, ms});
}

// Ends the program where two give different answers.
void compare(const Contender& contender, const std::vector<uint16_t>& found,
             const std::vector<uint16_t>& reference) {
  for (size_t i = 0; i < contender.queries; ++i) {
    if (found[i] == reference[i]) continue;
    std::fprintf(stderr, "%s differs at query %zu: %u, not %u\n", contender.how.c_str(), i,
                 found[i], reference[i]);
    std::exit(1);
  }
}

std::vector<Row> measure(const std::string& set, const Rules& rules, const Queries& queries) {
  std::vector<Contender> contenders;
  add_compiled(rules, queries, contenders);
  add_list(rules, queries, contenders);
  add_library(rules, queries, contenders);
  std::vector<uint16_t> found(queries.size()), reference(queries.size());
  contenders[0].run(reference.data());
  for (int turn = 0; turn < kTurns; ++turn) {
    for (Contender& contender : contenders) {
      uint64_t begin = __rdtsc();
      contender.run(found.data());
      uint64_t end = __rdtsc();
      contender.turns.push_back(static_cast<double>(end - begin) /
                                static_cast<double>(contender.queries));
      compare(contender, found, reference);
    }
  }
  std::vector<Row> rows;
  for (Contender& contender : contenders) {
    std::sort(contender.turns.begin(), contender.turns.end());
    rows.push_back({set, contender.how, rules.size(), contender.turns[kTurns / 4],
                    contender.build_ms, contender.bytes});
  }
  return rows;
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
  using namespace postern;
  using namespace postern::bench;
  bool json = argc > 1 && std::strcmp(argv[1], "--json") == 0;
  const char* eal[] = {"classify",    "--no-huge",         "--no-pci",
                       "--no-shconf", "--no-telemetry",    "-m",
                       "1024",        "--log-level=error", "--force-max-simd-bitwidth=512"};
  std::vector<char*> arguments;
  for (const char* word : eal)
    arguments.push_back(const_cast<char*>(word));
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) return 2;
  std::vector<Row> rows;
  for (const char* set : {"last-permits", "fw1", "acl1"}) {
    for (size_t count : {size_t{10}, size_t{1000}, size_t{10000}}) {
      test::Random random(11);
      bool office = std::strcmp(set, "last-permits") == 0;
      auto rules =
          office ? test::last_permits(count)
                 : test::classbench_rules(std::strcmp(set, "fw1") == 0 ? test::ClassBenchSeed::fw1
                                                                       : test::ClassBenchSeed::acl1,
                                          count, random);
      std::vector<FlowQuery> queries;
      for (size_t i = 0; i < kQueries; ++i)
        queries.push_back(office ? office_query(random) : test::query_near(rules, random));
      for (const Row& row : measure(set, rules, queries)) {
        rows.push_back(row);
        if (json) continue;
        std::printf("%-12s %5zu  %-20s %9.1f cycles  build %7.1f ms  %8zu KiB\n", row.set.c_str(),
                    row.rules, row.how.c_str(), row.cycles, row.build_ms, row.bytes / 1024);
        std::fflush(stdout);
      }
    }
  }
  if (!json) return 0;
  std::printf("{\"rows\": [");
  for (size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    std::printf(
        "%s{\"work\": \"classify\", \"set\": \"%s\", \"how\": \"%s\", \"rules\": %zu, "
        "\"cycles_per_packet\": %.1f, \"build_ms\": %.1f, \"bytes\": %zu}",
        i == 0 ? "" : ",\n", row.set.c_str(), row.how.c_str(), row.rules, row.cycles, row.build_ms,
        row.bytes);
  }
  std::printf("]}\n");
  return 0;
}
