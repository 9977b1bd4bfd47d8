// SPDX-License-Identifier: BSD-3-Clause
// postern check FILE: everything that is wrong with a configuration, what is odd about its rules,
// and whether its tests hold; offline, without root.
#include "control/check.h"

#include <sys/stat.h>

#include <cstdio>
#include <memory>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/input.h"
#include "control/admin/protocol.h"

namespace postern::cli {
namespace {

struct Options {
  std::string file;
  bool is_strict = false;
};

Json to_json(const Checked& checked, const std::string& file) {
  return {{"file", file}, {"valid", checked.ok()}, {"findings", findings_json(checked.findings)}};
}

// Where a daemon runs, this is the machine that the configuration is for.
void add_machine_findings(const std::string& text, const Globals& globals, Checked& checked) {
  struct stat socket = {};
  if (stat(admin::socket_path(globals.run_dir).c_str(), &socket) != 0) return;
  for (config::Finding& finding : machine_findings(text, checked.model, socket.st_uid))
    checked.findings.push_back(std::move(finding));
}

int check(const Options& options, const Globals& globals) {
  auto text = read_input(options.file);
  if (!text) return report(text.error(), globals);
  Checked checked = check_text(*text);
  if (checked.ok()) add_machine_findings(*text, globals, checked);
  if (globals.json) {
    print_json(to_json(checked, options.file));
  } else {
    for (const config::Finding& finding : checked.findings)
      std::fprintf(stderr, "%s\n", config::to_text(finding, options.file).c_str());
    std::printf("%s: %s\n", options.file.c_str(), error_count_text(checked.findings).c_str());
  }
  if (checked.is_only_tests()) return kFailed;
  if (!checked.ok()) return kInvalid;
  return options.is_strict && !checked.findings.empty() ? kFailed : kDone;
}

}  // namespace

void add_check(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  root.add("check", "find everything that is wrong with a configuration, without a daemon")
      .argument("FILE", options->file, "the configuration")
      .flag("--strict", options->is_strict, "warnings fail, too (exit code 1)")
      .runs([options, &globals] { return check(*options, globals); });
}

}  // namespace postern::cli
