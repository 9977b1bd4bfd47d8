// SPDX-License-Identifier: BSD-3-Clause
// postern apply FILE: the daemon checks the text and puts it into force, or changes nothing at all.
// With --save it becomes the daemon's configuration file, too; else a restart of the daemon goes
// back to what that file says, and `postern status` warns of it.
#include <cstdio>
#include <memory>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "control/admin/protocol.h"
#include "control/text_file.h"

namespace postern::cli {
namespace {

struct Options {
  std::string file;
  bool save = false;
};

// One line for each on standard error, as config::to_text() has it.
void print_findings(const Json& findings, const std::string& file) {
  for (const Json& finding : findings) {
    std::string path = finding.value("path", "");
    std::fprintf(stderr, "%s:%d:%d: %s: %s%s%s\n", file.c_str(), finding.value("line", 0),
                 finding.value("column", 0), finding.value("severity", "error").c_str(),
                 path.c_str(), path.empty() ? "" : ": ", finding.value("text", "").c_str());
  }
}

void print_refusal(const Json& response, const Options& options) {
  Json error = response.value("error", Json::object());
  print_findings(error.value("findings", Json::array()), options.file);
  std::fprintf(stderr, "postern: %s\n", error.value("text", "refused").c_str());
}

int apply(const Options& options, const Globals& globals) {
  auto text = read_text_file(options.file);
  if (!text) return report(text.error(), globals);
  auto response =
      call(globals.run_dir, {{"command", "apply"}, {"text", *text}, {"save", options.save}});
  if (!response) return report(response.error(), globals);
  bool done = response->value("ok", false);
  Json answer = response->value(done ? "result" : "error", Json::object());
  if (globals.json) {
    print_json(done ? answer : Json{{"error", answer}});
  } else if (done) {
    print_findings(answer.value("findings", Json::array()), options.file);
    std::printf("%s\n", answer.value("text", "done").c_str());
  } else {
    print_refusal(*response, options);
  }
  return done ? kDone : exit_code_of(admin::error_code_from(answer.value("code", "")));
}

}  // namespace

void add_apply(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  root.add("apply", "put a configuration into force, or change nothing")
      .argument("FILE", options->file, "the configuration")
      .flag("--save", options->save, "make it the daemon's configuration file, too")
      .runs([options, &globals] { return apply(*options, globals); });
}

}  // namespace postern::cli
