// SPDX-License-Identifier: BSD-3-Clause
// What `postern doctor` says, for it and for the support bundle.
#pragma once

#include <vector>

#include "cli/client.h"
#include "cli/support/health.h"

namespace postern::cli {

// {"health": "OK", "findings": [{"check", "health", "text", "mend"}]}
Json to_json(const std::vector<Finding>& findings);
Health worst_of(const std::vector<Finding>& findings);

// With --host: what looks at the machine that it runs on says so.
Error not_from_afar();

}  // namespace postern::cli
