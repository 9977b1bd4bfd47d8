// SPDX-License-Identifier: BSD-3-Clause
// The list, asked rule by rule, is the reference: the compiled form must give its answer for every
// query, in each variant, from every rule on, one at a time and many at once.
#include "dataplane/filter/classifier.h"

#include <catch2/catch.hpp>

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
  size_t decided = 0;
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

TEST_CASE("filter/classifier: crowded networks are told apart to the single address", "[F16]") {
  // Thousands of steps in one /16, hundreds in one /24: pages, and runs narrowed by halves.
  std::vector<Rule> rules(3000);
  for (size_t i = 0; i < rules.size(); ++i) {
    Ipv4Address host(static_cast<uint32_t>(i < 200 ? 0xFFFFFF00 + i : 0x0A010000 + i * 7));
    rules[i].from = {{{host, host}}, false};
    rules[i].to = {{{host, Ipv4Address(0xFFFFFFFF)}}, false};
  }
  test::Random random(3);
  Agreement seen;
  check_agreement(rules, 2000, random, seen);
  CHECK(seen.decided > 1000);
}

TEST_CASE("filter/classifier: no rule, one rule and the largest number are classified", "[F21]") {
  FlowQuery query;
  query.destination = Ipv4Address(10, 0, 0, 1);
  std::vector<Rule> rules;
  CHECK(Classifier::build(rules, {}, kBytesMax)->find_first(rules, query, 0) == kNoRule);
  rules.resize(1);
  auto one = Classifier::build(rules, enabled(rules), kBytesMax);
  CHECK(one->find_first(rules, query, 0) == 0);
  CHECK(one->find_first(rules, query, 1) == kNoRule);

  rules.resize(kRulesMax);
  for (size_t i = 0; i + 1 < rules.size(); ++i) {
    Ipv4Address host(static_cast<uint32_t>(0x0B000000 + i));
    rules[i].to = {{{host, host}}, false};
  }
  auto most = Classifier::build(rules, enabled(rules), kBytesMax);
  REQUIRE(most);
  CHECK(most->bytes() <= kBytesMax);
  CHECK(most->find_first(rules, query, 0) == kRulesMax - 1);
  CHECK(most->find_first(rules, query, kRulesMax) == kNoRule);
  query.destination = Ipv4Address(0x0B000000 + 60000);
  CHECK(most->find_first(rules, query, 0) == 60000);
  CHECK(most->find_first(rules, query, 60000) == 60000);
  CHECK(most->find_first(rules, query, 60001) == kRulesMax - 1);
}

TEST_CASE("filter/classifier: every rule for everything gives the first asked for", "[F29]") {
  std::vector<Rule> rules(1000);
  auto classifier = Classifier::build(rules, enabled(rules), kBytesMax);
  FlowQuery query;
  for (uint16_t from : {uint16_t{0}, uint16_t{1}, uint16_t{64}, uint16_t{700}, uint16_t{999}})
    CHECK(classifier->find_first(rules, query, from) == from);
  CHECK(classifier->find_first(rules, query, 1000) == kNoRule);
}

TEST_CASE("filter/classifier: rules that defeat it leave the list to answer", "[F21]") {
  // Each has thousands of scattered ranges, so that every address has a row of its own.
  test::Random random(5);
  std::vector<Rule> rules(100);
  for (Rule& rule : rules) {
    rule.from.any = false;
    auto at = static_cast<uint32_t>(random() % 1000);
    while (rule.from.ranges.size() < kMatchItemsMax) {
      rule.from.ranges.push_back({Ipv4Address(at), Ipv4Address(at + 1000)});
      at += 2000 + static_cast<uint32_t>(random() % 1000);
    }
  }
  auto queries = std::vector<FlowQuery>(200);
  for (FlowQuery& query : queries)
    query = test::query_near(rules, random);
  CHECK(Classifier::build(rules, enabled(rules), size_t{1} << 20) == nullptr);
  Ruleset list(rules, Posture::normal, true);
  list.compile(size_t{1} << 20);
  CHECK(list.is_defeated());
  CHECK_FALSE(list.is_compiled());
  std::vector<uint16_t> found(queries.size());
  list.find_first_bulk(queries, found.data());
  for (size_t i = 0; i < queries.size(); ++i) {
    CHECK(list.find_first(queries[i]) == first_listed(rules, queries[i], 0));
    CHECK(found[i] == list.find_first_listed(queries[i]));
  }
}

TEST_CASE("filter/classifier: a compiled list keeps to its posture", "[F22]") {
  test::Random random(6);
  auto posture = GENERATE(Posture::normal, Posture::cut_off, Posture::open);
  auto rules = test::random_rules(200, random);
  Ruleset compiled(rules, posture, true);
  compiled.compile();
  REQUIRE(compiled.is_compiled());
  for (int i = 0; i < 2000; ++i) {
    FlowQuery query = test::query_near(rules, random);
    REQUIRE(compiled.find_first(query) == compiled.find_first_listed(query));
  }
}

}  // namespace postern
