// SPDX-License-Identifier: BSD-3-Clause
// What belongs to `postern user` and has a file of its own.
#pragma once

#include "cli/command.h"

namespace postern::cli {

void add_user_import(Command& user, const Globals& globals);

}  // namespace postern::cli
