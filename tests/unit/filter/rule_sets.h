// SPDX-License-Identifier: BSD-3-Clause
// Rule sets and queries for the tests and the bench of the classifier: random ones that use every
// match, a list of which the last rule permits, and sets with the structure of the ClassBench seeds
// fw1 (a firewall) and acl1 (an access list of an ISP). Equal seeds give equal sets.
//
// ClassBench (Taylor, Turner: "ClassBench: A Packet Classification Benchmark", 2007) publishes how
// the fields of real filter sets are distributed: protocols, classes of port pairs, the lengths of
// both prefixes for each class, how prefixes branch level by level, and how source and destination
// agree. The generator here draws from the same figures (rule_sets.cc).
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "dataplane/filter/rule.h"

namespace postern::test {

using Random = std::mt19937;

enum class ClassBenchSeed : uint8_t { fw1, acl1 };

// `count` different rules, the more specific ones first.
std::vector<Rule> classbench_rules(ClassBenchSeed seed, size_t count, Random& random);

// Drops of services of single hosts behind the WAN port (1), then one permit from LAN (0).
std::vector<Rule> last_permits(size_t count);

// Rules of up to a few dozen addresses, ports and interfaces, so that they meet often.
std::vector<Rule> random_rules(size_t count, Random& random);

// A query at a corner of a random rule, sometimes one step beside it.
FlowQuery query_near(const std::vector<Rule>& rules, Random& random);

}  // namespace postern::test
