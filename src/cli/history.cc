// SPDX-License-Identifier: BSD-3-Clause
// postern history, rollback, confirm, revert, show config: configurations of the past, and the one
// on trial.
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/show.h"
#include "cli/trial.h"

namespace postern::cli {
namespace {

void print_history(const Json& result, const Globals& globals) {
  Table table({{"REVISION", Align::right},
               {"SINCE", Align::left},
               {"WHO", Align::left},
               {"BY", Align::left},
               {"COMMENT", Align::left}});
  Json in_force = result.value("in_force", Json());
  for (const Json& row : result.value("revisions", Json::array())) {
    bool is_it = in_force.is_number() && row.value("revision", Json()) == in_force;
    table.add({cell(row, "revision") + (is_it ? " *" : "  "), local_time(row, "time"),
               cell(row, "who"), cell(row, "source"), cell(row, "comment")});
  }
  print_table(table, result, globals);
  if (!globals.no_header && in_force.is_number()) std::puts("* is in force");
}

struct RollbackOptions {
  uint32_t revision = 0;
  ChangeOptions change;
};

int rollback(const RollbackOptions& options, const Globals& globals) {
  Json request = {{"command", "rollback"}, {"revision", options.revision}};
  if (auto done = add_change(request, options.change); !done) {
    std::fprintf(stderr, "postern: %s (try `postern rollback --help`)\n",
                 done.error().text.c_str());
    return kUsage;
  }
  auto response = call(globals, std::move(request));
  if (!response) return report(response.error(), globals);
  return finish_change(*response, "revision " + std::to_string(options.revision), globals);
}

// Empty: whichever trial there is.
int send(const char* command, const std::string& digest, const Globals& globals) {
  Json request = {{"command", command}};
  if (!digest.empty()) request["trial"] = digest;
  auto response = call(globals, std::move(request));
  if (!response) return report(response.error(), globals);
  return finish_change(*response, "", globals);
}

}  // namespace

void add_history(Command& root, const Globals& globals) {
  root.add("history", "the configurations that were in force, with who put them there and why")
      .runs([&globals] {
        return ask_and_show(globals, {{"command", "history"}},
                            [&](const Json& result) { print_history(result, globals); });
      });
  auto options = std::make_shared<RollbackOptions>();  // the parser writes, the body reads
  Command command = root.add("rollback", "put a configuration of the history into force again");
  command.argument("REVISION", options->revision, "its number, see `postern history`");
  add_change_options(command, options->change);
  command.runs([options, &globals] { return rollback(*options, globals); });
  auto digest = std::make_shared<std::string>();
  const char* about = "only this one, as `apply --json` and `history --json` name it";
  root.add("confirm", "keep the configuration that is on trial")
      .optional_argument("DIGEST", *digest, about)
      .runs([digest, &globals] { return send("confirm", *digest, globals); });
  root.add("revert", "take back the configuration that is on trial, now")
      .optional_argument("DIGEST", *digest, about)
      .runs([digest, &globals] { return send("revert", *digest, globals); });
}

void add_show_config(Command& show, const Globals& globals) {
  auto revision = std::make_shared<std::optional<uint32_t>>();
  show.add("config", "the configuration that is in force, byte for byte")
      .option("--revision", *revision, "one of the history instead")
      .runs([revision, &globals] {
        Json request = {{"command", "show config"}};
        if (*revision) request["revision"] = **revision;
        return ask_and_show(globals, request, [](const Json& result) {
          std::fputs(result.value("text", "").c_str(), stdout);
        });
      });
}

}  // namespace postern::cli
