// SPDX-License-Identifier: BSD-3-Clause
// Questions at the terminal. Passwords from the terminal without echo, or from standard input;
// never from the command line, where every process of the machine reads them. Thread: the only one.
#pragma once

#include <string>

#include "base/result.h"

namespace postern::cli {

// Whether somebody is there to be asked.
bool is_at_terminal();
// Whether the answer is "yes" and nothing else; all of the question is in `words`.
bool ask_yes(const std::string& words);

// One that is there already, at a terminal; `words` go in front.
Result<std::string> ask_password(const std::string& words);
// A new password: asked for twice at a terminal, else the first line of standard input.
Result<std::string> ask_new_password(const std::string& name);

}  // namespace postern::cli
