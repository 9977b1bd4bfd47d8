// SPDX-License-Identifier: BSD-3-Clause
// postern doctor: whether this machine is fit for the gateway, and the command that mends what is
// not.
#include "cli/support/doctor.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/table.h"

namespace postern::cli {
namespace {

struct Options {
  Patient patient;
  std::string root;
};

int doctor(const Options& options, const Globals& globals) {
  if (globals.remote) return report(not_from_afar(), globals);
  const std::vector<Finding> findings = examine(Machine(options.root), options.patient);
  if (globals.json) {
    print_json(to_json(findings));
  } else {
    Table table({{"CHECK"}, {"HEALTH"}, {"FINDING"}, {"MEND"}});
    for (const Finding& finding : findings)
      table.add({finding.check, to_word(finding.health), finding.text, finding.mend});
    std::fputs(table.to_text(!globals.no_header).c_str(), stdout);
  }
  return worst_of(findings) == Health::fail ? kFailed : kDone;
}

}  // namespace

Error not_from_afar() {
  return {ErrorCode::failed,
          "it looks at the machine that it runs on; run it there, without --host"};
}

Json to_json(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"check", finding.check},
                    {"health", to_word(finding.health)},
                    {"text", finding.text},
                    {"mend", finding.mend.empty() ? Json() : Json(finding.mend)}});
  }
  return {{"health", to_word(worst_of(findings))}, {"findings", std::move(list)}};
}

Health worst_of(const std::vector<Finding>& findings) {
  Health worst = Health::ok;
  for (const Finding& finding : findings)
    worst = std::max(worst, finding.health);
  return worst;
}

void add_doctor(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  Command command =
      root.add("doctor", "whether this machine is fit for the gateway, and what mends it");
  command.option("--config", options->patient.config_file,
                 "the configuration (/etc/postern/gateway.yaml)");
  command.option("--state-dir", options->patient.state_dir,
                 "where the daemon keeps its state (/var/lib/postern)");
  command.option("--root", options->root, "examine the machine whose files are below this folder");
  command.runs([options, &globals] { return doctor(*options, globals); });
}

}  // namespace postern::cli
