// SPDX-License-Identifier: BSD-3-Clause
// The tests of a configuration: each packet is explained as `postern explain` does it, under the
// policy of its minute, and what became of it is held against what must. Pure; control thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "control/config/load.h"
#include "dataplane/policy/policy.h"

namespace postern::analysis {

using CompileAt = std::function<Result<std::unique_ptr<Policy>>(uint32_t minute_of_week)>;

// An error of kind "test" at the place of each test that fails: what was expected, what was seen,
// and the rule that decided. Policies are compiled once a minute that tests name.
std::vector<config::Finding> run_tests(const config::Model& model, const CompileAt& compile_at);

}  // namespace postern::analysis
