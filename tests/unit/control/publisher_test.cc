// SPDX-License-Identifier: BSD-3-Clause
#include "control/publisher.h"

#include <catch2/catch.hpp>

using namespace postern;

namespace {

std::unique_ptr<Policy> policy_with(uint32_t generation, const std::vector<std::string>& names) {
  auto policy = std::make_unique<Policy>();
  policy->generation = generation;
  policy->shards = Shards(2);
  std::vector<Rule> rules;
  for (const std::string& name : names) {
    Rule rule;
    rule.name = name;
    rules.push_back(rule);
  }
  policy->rules = Ruleset(std::move(rules), Posture::normal, true);
  policy->allocate_counters();
  return policy;
}

// Counts like a worker that met packets.
void hit(const Policy& policy, unsigned worker, size_t rule, uint64_t packets, int64_t at_ns) {
  RuleCounters& counters = policy.rule_counters[worker][rule];
  counters.packets.add(packets);
  counters.bytes.add(packets * 100);
  counters.last_hit_ns.set(static_cast<uint64_t>(at_ns));
}

struct Bed {
  PolicySlot slot{2};
  Publisher publisher{slot};

  const Policy* publish(const std::vector<std::string>& names) {
    REQUIRE(publisher.publish(policy_with(publisher.next_generation(), names)));
    return publisher.current();
  }
  void workers_finished(uint32_t generation) {
    slot.finished(0, generation);
    slot.finished(1, generation);
  }
};

}  // namespace

TEST_CASE("control/publisher: counters are summed over workers, the last hit is the latest",
          "[P16]") {
  Bed bed;
  const Policy* policy = bed.publish({"web", "mail"});
  hit(*policy, 0, 0, 3, 1000);
  hit(*policy, 1, 0, 4, 2000);
  hit(*policy, 1, 2, 5, 3000);  // no rule matched
  auto totals = bed.publisher.totals();
  REQUIRE(totals.size() == 3);
  CHECK(totals[0].packets == 7);
  CHECK(totals[0].bytes == 700);
  CHECK(totals[0].last_hit.ns == 2000);
  CHECK(totals[1].packets == 0);
  CHECK(totals[1].last_hit.ns == 0);
  CHECK(totals[2].packets == 5);
}

TEST_CASE("control/publisher: counters follow the name of a rule across reloads", "[P16]") {
  Bed bed;
  const Policy* first = bed.publish({"web", "mail", "gone"});
  hit(*first, 0, 0, 1, 100);
  hit(*first, 0, 1, 2, 200);
  hit(*first, 0, 2, 9, 300);
  const Policy* second = bed.publish({"mail", "new", "web"});
  hit(*first, 0, 0, 10, 400);  // a worker that has not taken over yet
  hit(*second, 1, 2, 100, 500);
  auto check = [&] {
    auto totals = bed.publisher.totals();
    REQUIRE(totals.size() == 4);
    CHECK(totals[0].packets == 2);
    CHECK(totals[1].packets == 0);
    CHECK(totals[2].packets == 111);
    CHECK(totals[2].last_hit.ns == 500);
  };
  check();  // the first policy is still waiting for grace
  bed.workers_finished(2);
  bed.publisher.collect();
  CHECK(bed.publisher.retired() == 0);
  check();  // its counters were added up, and it is freed
  bed.publish({"gone"});
  bed.workers_finished(3);
  bed.publisher.collect();
  CHECK(bed.publisher.totals()[0].packets == 0);  // a new rule of an old name begins at zero
}

TEST_CASE("control/publisher: a policy is kept until every worker has finished with it", "[P15]") {
  Bed bed;
  bed.publish({"web"});
  bed.publish({"web"});
  bed.publisher.collect();
  CHECK(bed.publisher.retired() == 1);
  bed.slot.finished(0, 2);
  bed.publisher.collect();
  CHECK(bed.publisher.retired() == 1);
  bed.slot.finished(1, 2);
  bed.publisher.collect();
  CHECK(bed.publisher.retired() == 0);
}

TEST_CASE("control/publisher: a worker that hangs stops publications, not the policy in force") {
  Bed bed;
  for (size_t i = 0; i <= Publisher::kRetiredMax; ++i)
    bed.publish({"web"});
  const Policy* in_force = bed.publisher.current();
  auto refused = bed.publisher.publish(policy_with(bed.publisher.next_generation(), {"web"}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::exhausted);
  CHECK(bed.publisher.current() == in_force);
  CHECK(bed.slot.acquire() == in_force);
  bed.workers_finished(in_force->generation);
  CHECK(bed.publisher.publish(policy_with(bed.publisher.next_generation(), {"web"})));
}
