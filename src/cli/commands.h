// SPDX-License-Identifier: BSD-3-Clause
// The commands of `postern`, one function for each file that adds some.
#pragma once

#include "cli/command.h"

namespace postern::cli {

void add_apply(Command& root, const Globals& globals);
void add_capture(Command& root, const Globals& globals);
void add_check(Command& root, const Globals& globals);
void add_completion(Command& root, const Globals& globals);
void add_config(Command& root, const Globals& globals);
void add_dhcp(Command& root, const Globals& globals);
void add_dns(Command& root, const Globals& globals);
void add_cache(Command& root, const Globals& globals);
void add_doctor(Command& root, const Globals& globals);
void add_explain(Command& root, const Globals& globals);
void add_history(Command& root, const Globals& globals);  // and rollback, confirm, revert
void add_key(Command& root, const Globals& globals);
void add_lab(Command& root, const Globals& globals);
void add_lease(Command& root, const Globals& globals);
void add_log(Command& root, const Globals& globals);
void add_mail(Command& root, const Globals& globals);
void add_login(Command& root, const Globals& globals);
void add_logout(Command& root, const Globals& globals);
void add_plan(Command& root, const Globals& globals);  // and diff
void add_shell(Command& root, const Globals& globals, AddCommands add_commands);
void add_show(Command& root, const Globals& globals);
void add_status(Command& root, const Globals& globals);
void add_user(Command& root, const Globals& globals);  // and passwd-hash
void add_support_bundle(Command& root, const Globals& globals);
void add_top(Command& root, const Globals& globals);
void add_trace(Command& root, const Globals& globals);
void add_version(Command& root, const Globals& globals);

}  // namespace postern::cli
