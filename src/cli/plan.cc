// SPDX-License-Identifier: BSD-3-Clause
// postern plan FILE, postern diff FILE: what applying a configuration would do, without doing it.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/difference.h"
#include "cli/exit_code.h"
#include "cli/input.h"
#include "cli/trial.h"

namespace postern::cli {
namespace {

struct Words {
  std::string first, second;
  PlanOptions plan;
};

// Of a revision of the history: a number.
bool is_revision(const std::string& word) {
  return !word.empty() && word.size() <= 9 &&
         word.find_first_not_of("0123456789") == std::string::npos;
}

Result<LabelledText> text_of(const std::string& word, const Globals& globals) {
  if (word.empty()) return text_of_daemon(std::nullopt, globals);
  if (is_revision(word)) return text_of_daemon(static_cast<uint32_t>(std::stoul(word)), globals);
  auto text = read_input(word);
  if (!text) return std::move(text).error();
  return LabelledText{word, std::move(*text)};
}

int diff(const Words& words, const Globals& globals) {
  // One word: from what is in force to that. Two: from the first to the second.
  auto before = text_of(words.second.empty() ? "" : words.first, globals);
  if (!before) return report(before.error(), globals);
  auto after = text_of(words.second.empty() ? words.first : words.second, globals);
  if (!after) return report(after.error(), globals);
  auto lines = difference(*before, *after);
  if (!lines) return report(lines.error(), globals);
  if (globals.json) {
    print_json({{"changed", !lines->empty()}, {"diff", *lines}});
  } else {
    std::fputs(lines->c_str(), stdout);
  }
  return lines->empty() ? kDone : kDifferent;
}

void print_plan(const Json& plan) {
  if (!plan.value("changed", false)) {
    std::puts("nothing would change");
    return;
  }
  for (const Json& key : plan.value("restart", Json::array()))
    fmt::print("needs a restart of posternd: {}\n", key.get<std::string>());
  if (!plan.value("restart", Json::array()).empty()) {
    fmt::print("a restart takes about {:.1f} s, as the last one did; all sessions end\n",
               plan.value("outage_s", 0.0));
  } else {
    fmt::print("takes effect at once, without an outage; at least {} of {} sessions would end\n",
               plan.value("sessions_ending", 0), plan.value("sessions", 0));
  }
  if (plan.value("locks_out", Json()).is_string())
    fmt::print("WARNING: {}\n", plan["locks_out"].get<std::string>());
}

}  // namespace

int plan_text(const std::string& text, const std::string& file, const PlanOptions& options,
              const Globals& globals) {
  Json request = {{"command", "plan"}, {"text", text}};
  add_session(request);
  auto response = call(globals, std::move(request));
  if (!response) return report(response.error(), globals);
  if (!response->value("ok", false)) return finish_change(*response, file, globals);
  Json plan = response->value("result", Json::object());
  if (options.diff) {
    auto lines = difference_to({file, text}, globals);
    if (!lines) return report(lines.error(), globals);
    plan["diff"] = *lines;
    if (!globals.json) std::fputs(lines->c_str(), stdout);
  }
  if (!globals.json) print_findings(plan.value("findings", Json::array()), file);
  globals.json ? print_json(plan) : print_plan(plan);
  return options.detailed_exitcode && plan.value("changed", false) ? kDifferent : kDone;
}

void add_plan(Command& root, const Globals& globals) {
  auto words = std::make_shared<Words>();  // the parser writes, the bodies read
  root.add("plan", "what putting a configuration into force would do: restarts, sessions that end")
      .argument("FILE", words->first, "the configuration")
      .flag("--diff", words->plan.diff, "print the lines that differ, too")
      .flag("--detailed-exitcode", words->plan.detailed_exitcode,
            "exit with 10 when it would change something")
      .runs([words, &globals] {
        auto text = read_input(words->first);
        if (!text) return report(text.error(), globals);
        return plan_text(*text, words->first, words->plan, globals);
      });
  root.add("diff", "the lines that differ; exits with 10 when some do")
      .argument("FILE", words->first, "a file or a revision, compared with what is in force")
      .optional_argument("OTHER", words->second, "a file or a revision to compare with it instead")
      .runs([words, &globals] { return diff(*words, globals); });
}

}  // namespace postern::cli
