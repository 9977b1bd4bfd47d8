// SPDX-License-Identifier: BSD-3-Clause
// trusted_program(): whether a program is one that nobody but root could have put there, for what
// is run with all our rights. Thread: any.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace postern::io {

// An executable file of root's or of `runner`, who is going to run it, and not to be written by
// others; so its directory, and those above but for ones like /tmp, where others can replace
// nothing of ours. A symbolic link is followed, and its own directories count, too. The Error says
// which part of the path is not so.
Result<void> trusted_program(const std::string& path, uid_t runner);

}  // namespace postern::io
