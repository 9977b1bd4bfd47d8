// SPDX-License-Identifier: BSD-3-Clause
// judge(): all that the compiled policy of a valid configuration shows before it is in force: that
// it compiles, what is odd about it (analyse.h), and whether its tests hold (policy_tests.h).
//
// The same text gets the same judgement on every machine and at any time: an interface whose
// address comes by DHCP stands there with 198.18.N.2/24 (N: its number in the file, from 0) and,
// unless the file has a default route, leads everywhere. Pure; control thread.
#pragma once

#include <string>
#include <vector>

#include "control/config/load.h"

namespace postern::analysis {

// Warnings, and errors: of kind "test" where a test fails, without one where it does not compile.
std::vector<config::Finding> judge(const config::Model& model);

// "test 'mail comes in' fails: ...; and 2 more": the failed tests of a judgement in one line;
// empty: none failed.
std::string failed_tests_text(const std::vector<config::Finding>& findings);

}  // namespace postern::analysis
