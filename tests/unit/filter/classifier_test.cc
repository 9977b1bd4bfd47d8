// SPDX-License-Identifier: BSD-3-Clause
// The list, asked rule by rule, is the reference: the compiled form must give its answer for every
// query, in each variant, from every rule on, one at a time and many at once.
#include "dataplane/filter/classifier.h"

#include <catch2/catch.hpp>
#include <numeric>

#include "base/limits.h"
#include "dataplane/filter/ruleset.h"
#include "unit/filter/rule_sets.h"

namespace postern {
namespace {

using Variant = Classifier::Variant;

constexpr size_t kBytesMax = size_t{64} << 20;

std::vector<uint16_t> enabled(const std::vector<Rule>& rules) {
  std::vector<uint16_t> indices;
  for (size_t i = 0; i < rules.size(); ++i)
    if (rules[i].enabled) indices.push_back(static_cast<uint16_t>(i));
  return indices;
}

uint16_t first_listed(const std::vector<Rule>& rules, const FlowQuery& query, size_t from) {
  for (size_t i = from; i < rules.size(); ++i)
    if (matches(rules[i], query)) return static_cast<uint16_t>(i);
  return kNoRule;
}

std::vector<Variant> variants() {
  std::vector<Variant> all{Variant::plain};
  if (Classifier::best_variant() >= Variant::avx2) all.push_back(Variant::avx2);
  if (Classifier::best_variant() == Variant::avx512) all.push_back(Variant::avx512);
  return all;
}

struct Agreement {
  size_t decided = 0, residual = 0;
};

// Asks `count` queries near the rules, each on to the end of the list.
void check_agreement(const std::vector<Rule>& rules, size_t count, test::Random& random,
                     Agreement& seen) {
  std::vector<FlowQuery> queries;
  for (size_t i = 0; i < count; ++i)
    queries.push_back(test::query_near(rules, random));
  for (Variant variant : variants()) {
    auto classifier = Classifier::build(rules, enabled(rules), kBytesMax, variant);
    REQUIRE(classifier);
    std::vector<uint16_t> found(count);
    classifier->find_first_bulk(rules, queries, found.data());
    for (size_t i = 0; i < count; ++i) {
      size_t from = 0;
      for (int asked = 0; asked < 4 && from <= rules.size(); ++asked) {
        uint16_t listed = first_listed(rules, queries[i], from);
        uint16_t compiled = classifier->find_first(rules, queries[i], static_cast<uint16_t>(from));
        if (listed != compiled || (from == 0 && listed != found[i])) {
          INFO("query " << i << " from " << from << " rules " << rules.size());
          REQUIRE(listed == compiled);
          REQUIRE((from != 0 || listed == found[i]));
        }
        if (listed == kNoRule) break;
        ++seen.decided;
        from = listed + 1u;
      }
    }
  }
}

}  // namespace

TEST_CASE("filter/classifier: random rules are answered as by the list", "[F21][F15][F16][F18]") {
  test::Random random(20260401);
  Agreement seen;
  for (size_t i = 0; i < 300; ++i) {
    // Some fill one cluster, some several, some have none.
    size_t count = i % 10 == 0 ? 400 : i % 7 * 12;
    check_agreement(test::random_rules(count, random), 150, random, seen);
  }
  CHECK(seen.decided > 50000);
}

TEST_CASE("filter/classifier: ClassBench sets are answered as by the list", "[F21]") {
  auto seed = GENERATE(test::ClassBenchSeed::fw1, test::ClassBenchSeed::acl1);
  size_t count = GENERATE(size_t{1000}, size_t{10000});
  test::Random random(7);
  auto rules = test::classbench_rules(seed, count, random);
  REQUIRE(rules.size() == count);
  Agreement seen;
  check_agreement(rules, count == 1000 ? 4000 : 1500, random, seen);
  CHECK(seen.decided > 1000);
}

}  // namespace postern
