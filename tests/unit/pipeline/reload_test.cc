// SPDX-License-Identifier: BSD-3-Clause
// A thousand reloads of a policy of ten thousand rules while packets come: none of an allowed flow
// is lost, none of a flow that must not cross does, and what only one of two policies allows
// crosses under that one alone.
#include <catch2/catch.hpp>

#include "support/flood.h"
#include "support/office.h"

namespace postern::test {
namespace {

using Mark = Flood::Mark;
constexpr unsigned kRules = 10'000, kReloads = 1000, kKept = 16;

// The rule that lets the LAN out stands last. With `opens`, the one in front of it permits UDP to
// 198.51.100.66, which is refused otherwise.
std::string policy_of(bool opens) {
  std::string rules = "filter:\n  rules:\n";
  rules += "    - { name: never, to: 198.51.100.13, action: drop }\n";
  for (unsigned i = 0; i + 3 < kRules; ++i) {
    rules += "    - { name: r" + std::to_string(i) + ", in: lan, from: 192.168.1." +
             std::to_string(i % 250) + ", to: 10." + std::to_string(i / 250) + "." +
             std::to_string(i % 250) + ".0/24, service: tcp/" + std::to_string(1 + i) +
             ", action: " + (i % 2 == 0 ? "permit" : "drop") + " }\n";
  }
  rules += std::string("    - { name: at-times, to: 198.51.100.66, action: ") +
           (opens ? "permit" : "drop") + " }\n";
  rules += "    - { name: lan-out, in: lan, action: permit }\n";
  return kOfficeInterfaces + kOfficeNat + rules;
}

PacketBuilder at_times() {
  return udp("192.168.1.10:5000", "198.51.100.66:53");
}

}  // namespace

TEST_CASE(
    "pipeline/reload: a thousand reloads of ten thousand rules under load lose and leak "
    "nothing",
    "[C02][P05]") {
  const config::Model opens = Flood::model_of(policy_of(true));
  Flood bed(opens);
  std::unique_ptr<Policy> policies[] = {bed.compile(opens, 2),
                                        bed.compile(Flood::model_of(policy_of(false)), 3)};
  REQUIRE(policies[0]->rules.size() >= kRules);
  bed.keep(kKept);
  uint64_t at_times_came = 0, at_times_should = 0;
  for (uint32_t reload = 0; reload < kReloads; ++reload) {
    const bool is_open = reload % 2 == 0;
    Policy& policy = *policies[reload % 2];
    policy.generation = 2 + reload;
    bed.set_policy(&policy);
    for (unsigned i = 0; i < 2 * kKept; ++i)
      bed.put_kept();
    bed.put("lan", udp("192.168.1.10:5000", "198.51.100.13:53"), Mark::blocked);
    bed.put("wan", tcp("198.51.100.13:443", "203.0.113.1:1024"), Mark::blocked);
    bed.put("lan", at_times(), Mark::allowed);
    ++at_times_came;
    at_times_should += is_open ? 1 : 0;
    bed.run();
    if (bed.passed(Mark::allowed) != at_times_should) FAIL("reload " << reload);
  }
  CHECK(bed.came(Mark::kept) == uint64_t{2} * kKept * kReloads);
  CHECK(bed.passed(Mark::kept) == bed.came(Mark::kept));
  CHECK(bed.passed(Mark::blocked) == 0);
  CHECK(at_times_came == kReloads);
  CHECK(bed.counters().sessions_ended_by_policy.read() == kReloads / 2);
  CHECK(bed.counters().sessions_created.read() == kKept + kReloads / 2);
  CHECK(bed.mistakes() == "");
}

}  // namespace postern::test
