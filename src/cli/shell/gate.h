// SPDX-License-Identifier: BSD-3-Clause
// What somebody may run who has our shell (shell.h) and nothing else on the machine.
//
// One list names every such command with every option of it; whatever is not in the list is
// refused, so a command or an option that is new is refused until somebody has thought about it.
// Where a file would be named only the standard streams may be: nothing is read or written here by
// its name, no other program is chosen, no other daemon is asked. It judges what the parser has
// understood and not words of its own reading, so there is no second opinion to play against. What
// a command then does to the gateway is for the daemon to permit, by the role of the caller
// (control/admin/roles.h). Pure; thread: any.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"

namespace postern::cli {

// Refused commands and options are ErrorCode::denied.
Result<void> may_run(const Spoken& spoken);

// Whether completion offers `word` behind the words `before`.
bool is_offered(const std::vector<std::string>& before, const std::string& word);

// The standard streams by their names, for reading or for writing.
bool is_stream(const std::string& file);

}  // namespace postern::cli
