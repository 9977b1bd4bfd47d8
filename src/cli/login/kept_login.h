// SPDX-License-Identifier: BSD-3-Clause
// The cookie of a log-in that outlives its command, for the one that logs out: a file a page,
// readable by its owner alone, in $XDG_RUNTIME_DIR/postern, which is in memory and goes with the
// user's session. Thread: any.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/login/page_address.h"

namespace postern::cli {

// Where it is kept. An error where there is no directory of this user alone.
Result<std::string> kept_login_path(const PageAddress& page);
Result<void> keep_login(const std::string& path, const std::string& cookie);
// `not_found`: there is none.
Result<std::string> find_kept_login(const std::string& path);
void forget_login(const std::string& path);

}  // namespace postern::cli
