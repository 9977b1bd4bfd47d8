// SPDX-License-Identifier: BSD-3-Clause
#include "cli/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/client.h"
#include "cli/completion_script.h"
#include "cli/exit_code.h"
#include "cli/remote_link.h"
#include "cli/suggest.h"

namespace postern::cli {
namespace {

bool takes_value(const CLI::App& app, const std::string& word) {
  const CLI::Option* option = app.get_option_no_throw(word);
  return option != nullptr && option->get_items_expected_max() > 0;
}

// The command that the words lead to, and the first word that is no command where one was due.
struct Walk {
  const CLI::App* app;
  std::string full_name;
  std::string unknown;
};

Walk walk(const CLI::App& root, int argc, char** argv) {
  Walk at{&root, "postern", ""};
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word.starts_with("-")) {
      if (takes_value(root, word) || takes_value(*at.app, word)) ++i;
      continue;
    }
    if (names_below(*at.app).empty()) break;
    auto found =
        at.app->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == word; });
    if (found.empty()) {
      at.unknown = word;
      break;
    }
    at.app = found.front();
    at.full_name += " " + word;
  }
  return at;
}

std::string with_hint(std::string text, const std::string& nearest_word) {
  if (!nearest_word.empty()) text += "; did you mean `" + nearest_word + "`?";
  return text;
}

// What somebody means who wants to see things of a command that only does something to them.
std::string below_show(const Walk& at, const CLI::App& root) {
  auto is_named = [](const std::string& name) {
    return [name](const CLI::App* sub) { return sub->get_name() == name; };
  };
  const auto show = root.get_subcommands(is_named("show"));
  if (at.app->get_parent() != &root || show.empty()) return "";
  const bool has = !show[0]->get_subcommands(is_named(at.app->get_name())).empty();
  return has ? "postern show " + at.app->get_name() : "";
}

// CLI11's errors in our words: one line, and what to do next.
std::string usage_text(const CLI::ParseError& error, const Walk& at, const CLI::App& root) {
  if (!at.unknown.empty()) {
    const std::string near = nearest(at.unknown, names_below(*at.app));
    return with_hint(fmt::format("no command `{} {}`", at.full_name, at.unknown),
                     near.empty() ? below_show(at, root) : near);
  }
  bool is_incomplete = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  if (is_incomplete && !names_below(*at.app).empty()) {
    return fmt::format("`{}` needs one of: {}", at.full_name,
                       fmt::join(names_below(*at.app), ", "));
  }
  std::string text = error.what();
  if (const auto* extras = dynamic_cast<const CLI::ExtrasError*>(&error)) {
    std::string word = extras->what();
    word = word.substr(word.rfind(' ') + 1);
    std::vector<std::string> known = options_of(*at.app);
    for (const std::string& name : options_of(root))
      known.push_back(name);
    text = word.starts_with("-")
               ? with_hint(fmt::format("`{}` has no option {}", at.full_name, word),
                           nearest(word, known))
               : fmt::format("`{}` takes no further argument `{}`", at.full_name, word);
  }
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

void add_remote_options(CLI::App& root, RemoteOptions& into) {
  const auto add = [&root](const char* name, std::string& value, const char* help) {
    root.add_option(name, value, help)->take_last();
  };
  add("--host", into.host, "ask the daemon of this gateway, over the network: NAME[:PORT]");
  add("--user", into.user, "the account there");
  add("--identity", into.identity, "the file of the secret key to log in with");
  add("--password-file", into.password_file, "a file whose first line is the password");
  add("--known-hosts", into.known_hosts, "the file of gateways and their keys");
  add("--fingerprint", into.fingerprint, "the key that the gateway must have");
}

Spoken spoken_by(const CLI::App& root) {
  Spoken spoken;
  for (const CLI::App* at = &root; at != nullptr;) {
    for (const CLI::Option* option : at->get_options()) {
      if (option->count() == 0) continue;
      spoken.given.push_back({spoken.command, option->get_single_name(), option->results()});
    }
    const std::vector<CLI::App*> below = at->get_subcommands();
    at = below.empty() ? nullptr : below.front();
    if (at != nullptr) spoken.command += (spoken.command.empty() ? "" : " ") + at->get_name();
  }
  return spoken;
}

// What the command line said about help comes as an exception, too.
int answer(const CLI::ParseError& error, const Walk& at, const CLI::App& root) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    std::fputs(at.app->help(at.app == &root ? "" : at.full_name.substr(0, at.full_name.rfind(' ')))
                   .c_str(),
               stdout);
    return kDone;
  }
  std::fprintf(stderr, "postern: %s (try `%s --help`)\n", usage_text(error, at, root).c_str(),
               at.full_name.c_str());
  return kUsage;
}

}  // namespace

Command Command::add(const std::string& name, const std::string& help) {
  CLI::App* sub = app_->add_subcommand(name, help);
  app_->require_subcommand(1);
  return Command(sub, bodies_);
}

Command& Command::argument(const std::string& name, std::string& into, const std::string& help) {
  last_ = app_->add_option(name, into, help)->required();
  return *this;
}

Command& Command::argument(const std::string& name, uint32_t& into, const std::string& help) {
  last_ = app_->add_option(name, into, help)->required();
  return *this;
}

Command& Command::optional_argument(const std::string& name, std::string& into,
                                    const std::string& help) {
  last_ = app_->add_option(name, into, help);
  return *this;
}

Command& Command::rest(std::vector<std::string>& into) {
  app_->fallthrough(false);
  app_->prefix_command();
  CLI::App* app = app_;
  app_->parse_complete_callback([app, &into] { into = app->remaining(); });
  return *this;
}

Command& Command::flag(const std::string& name, bool& into, const std::string& help) {
  last_ = app_->add_flag(name, into, help);
  return *this;
}

Command& Command::option(const std::string& name, std::string& into, const std::string& help) {
  last_ = app_->add_option(name, into, help);
  return *this;
}

Command& Command::option(const std::string& name, uint32_t& into, const std::string& help) {
  last_ = app_->add_option(name, into, help);
  return *this;
}

Command& Command::option(const std::string& name, std::vector<std::string>& into,
                         const std::string& help) {
  last_ = app_->add_option(name, into, help)->expected(1)->take_all();
  return *this;
}

Command& Command::option(const std::string& name, std::optional<std::string>& into,
                         const std::string& help) {
  auto take = [&into](const std::string& value) { into = value; };
  last_ = app_->add_option_function<std::string>(name, take, help);
  return *this;
}

Command& Command::option(const std::string& name, std::optional<uint32_t>& into,
                         const std::string& help) {
  auto take = [&into](uint32_t value) { into = value; };
  last_ = app_->add_option_function<uint32_t>(name, take, help);
  return *this;
}

Command& Command::one_of(const std::vector<std::string>& values) {
  last_->check([values](const std::string& typed) {
    if (std::find(values.begin(), values.end(), typed) != values.end()) return std::string();
    return with_hint(fmt::format("`{}` is none of {}", typed, fmt::join(values, ", ")),
                     nearest(typed, values));
  });
  last_->type_name(fmt::format("{}", fmt::join(values, "|")));
  return *this;
}

Command& Command::runs(std::function<int()> body) {
  (*bodies_)[app_] = std::move(body);
  return *this;
}

std::string Command::bash_completion() const {
  return cli::bash_completion(*app_);
}

std::string Command::zsh_completion() const {
  return cli::zsh_completion(*app_);
}

std::vector<std::string> Command::candidates(const std::vector<std::string>& before) const {
  return cli::candidates(*app_, before);
}

int run_command_line(int argc, char** argv, AddCommands add_commands, const Within* within) {
  Globals globals;
  if (within != nullptr) globals.run_dir = within->run_dir;
  Command::Bodies bodies;
  CLI::App root("The command line of the Postern gateway.", "postern");
  root.fallthrough();  // inherited by commands added after it only
  root.add_flag("--json", globals.json, "print JSON for programs");
  root.add_flag("--no-header", globals.no_header, "print tables without their header line");
  CLI::Option* run_dir =
      root.add_option("--run-dir", globals.run_dir, "the daemon's run-time directory")
          ->capture_default_str()
          ->take_last();
  if (within == nullptr) run_dir->envname("POSTERN_RUN_DIR");
  RemoteOptions remote;
  add_remote_options(root, remote);
  add_commands(Command(&root, &bodies), globals);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return answer(error, walk(root, argc, argv), root);
  }
  if (within != nullptr) {
    if (auto may = within->admits(spoken_by(root)); !may) return report(may.error(), globals);
  }
  if (!remote.host.empty()) globals.remote = std::make_shared<RemoteLink>(std::move(remote));
  const CLI::App* named = &root;
  while (!named->get_subcommands().empty())
    named = named->get_subcommands().front();
  try {
    return bodies.at(named)();
  } catch (const std::exception& error) {  // of a library; ours do not throw
    std::fprintf(stderr, "postern: %s\n", error.what());
    return kFailed;
  }
}

}  // namespace postern::cli
