// SPDX-License-Identifier: BSD-3-Clause
// postern apply FILE: the daemon checks the text and puts it into force, or changes nothing at all.
// With --save it becomes the daemon's configuration file, too; else a restart of the daemon goes
// back to what that file says, and `postern status` warns of it. With --confirm it is on trial.
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/difference.h"
#include "cli/exit_code.h"
#include "cli/input.h"
#include "cli/trial.h"

namespace postern::cli {
namespace {

struct Options {
  std::string file;
  bool check = false;
  PlanOptions plan;
  ChangeOptions change;
};

int usage(const Error& error) {
  std::fprintf(stderr, "postern: %s (try `postern apply --help`)\n", error.text.c_str());
  return kUsage;
}

Result<void> fit_together(const Options& options) {
  if (options.check && options.change.is_any_given()) {
    return Error{ErrorCode::failed,
                 "--check changes nothing: --save, --confirm, --no-confirm, --comment and --base "
                 "do not go with it"};
  }
  if (options.plan.detailed_exitcode && !options.check) {
    return Error{ErrorCode::failed, "--detailed-exitcode goes with --check"};
  }
  return {};
}

int apply(const Options& options, const Globals& globals) {
  if (auto fit = fit_together(options); !fit) return usage(fit.error());
  Json request = {{"command", "apply"}};
  if (auto done = add_change(request, options.change); !done) return usage(done.error());
  auto text = read_input(options.file);
  if (!text) return report(text.error(), globals);
  if (options.check) return plan_text(*text, options.file, options.plan, globals);
  request["text"] = *text;
  Json more = Json::object();
  if (options.plan.diff) {
    // What comes between these lines and the change was not seen: so the digest is asked for first.
    auto base = digest_of_daemon(globals);
    if (!base) return report(base.error(), globals);
    auto lines = difference_to({options.file, *text}, globals);
    if (!lines) return report(lines.error(), globals);
    if (!options.change.base) request["base"] = *base;
    if (!globals.json) std::fputs(lines->c_str(), stdout);
    more["diff"] = *lines;
  }
  auto response = call(globals, std::move(request));
  if (!response) return report(response.error(), globals);
  return finish_change(*response, options.file, globals, more);
}

}  // namespace

void add_apply(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  Command command = root.add("apply", "put a configuration into force, or change nothing");
  command.argument("FILE", options->file, "the configuration")
      .flag("--check", options->check, "only say what it would change, as `postern plan` does")
      .flag("--diff", options->plan.diff, "print the lines that differ from what is in force")
      .flag("--detailed-exitcode", options->plan.detailed_exitcode,
            "with --check, exit with 10 when it would change something");
  add_change_options(command, options->change);
  command.runs([options, &globals] { return apply(*options, globals); });
}

}  // namespace postern::cli
