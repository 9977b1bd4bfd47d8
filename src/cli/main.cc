// SPDX-License-Identifier: BSD-3-Clause
// postern: the command line of the gateway.
#include "cli/commands.h"

namespace {

void add_commands(postern::cli::Command root, const postern::cli::Globals& globals) {
  namespace cli = postern::cli;
  cli::add_check(root, globals);
  cli::add_plan(root, globals);
  cli::add_apply(root, globals);
  cli::add_history(root, globals);
  cli::add_status(root, globals);
  cli::add_show(root, globals);
  cli::add_top(root, globals);
  cli::add_dns(root, globals);
  cli::add_cache(root, globals);
  cli::add_mail(root, globals);
  cli::add_lease(root, globals);
  cli::add_dhcp(root, globals);
  cli::add_log(root, globals);
  cli::add_login(root, globals);
  cli::add_logout(root, globals);
  cli::add_capture(root, globals);
  cli::add_trace(root, globals);
  cli::add_explain(root, globals);
  cli::add_user(root, globals);
  cli::add_doctor(root, globals);
  cli::add_support_bundle(root, globals);
  cli::add_config(root, globals);
  cli::add_key(root, globals);
  cli::add_lab(root, globals);
  cli::add_shell(root, globals, add_commands);
  cli::add_completion(root, globals);
  cli::add_version(root, globals);
}

}  // namespace

int main(int argc, char** argv) {
  return postern::cli::run_command_line(argc, argv, add_commands);
}
