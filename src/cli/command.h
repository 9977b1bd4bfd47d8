// SPDX-License-Identifier: BSD-3-Clause
// Command: one word of the command line (`show`, `sessions`) with its options and what it does. The
// argument parser (CLI11, slow to compile) is known to command.cc alone.
//
// A command is added by a function in the file of its name, listed in commands.h:
//   void add_apply(Command& root, const Globals& globals) {
//     auto options = std::make_shared<Options>();  // the parser writes, the body reads
//     root.add("apply", "put a configuration into force")
//         .argument("FILE", options->file, "the configuration")
//         .runs([options, &globals] { return apply(*options, globals); });
//   }
// Thread: the only one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace postern::cli {

class RemoteLink;

// Options that every command takes, before or after its name.
struct Globals {
  bool json = false;
  bool no_header = false;
  std::string run_dir = "/run/postern";
  std::shared_ptr<RemoteLink> remote;  // with --host
};

// A handle: copies name the same command. What the parser writes to must live until the body ran.
class Command {
 public:
  using Bodies = std::map<const CLI::App*, std::function<int()>>;
  Command(CLI::App* app, Bodies* bodies) : app_(app), bodies_(bodies) {}

  // A command below this one, which then needs one of its commands to be named.
  Command add(const std::string& name, const std::string& help);

  Command& argument(const std::string& name, std::string& into, const std::string& help);
  Command& argument(const std::string& name, uint32_t& into, const std::string& help);
  Command& optional_argument(const std::string& name, std::string& into, const std::string& help);
  // All words behind the arguments, options of other programs among them. Add it last.
  Command& rest(std::vector<std::string>& into);
  Command& flag(const std::string& name, bool& into, const std::string& help);
  Command& option(const std::string& name, std::string& into, const std::string& help);
  Command& option(const std::string& name, uint32_t& into, const std::string& help);
  // One value each time that it is given.
  Command& option(const std::string& name, std::vector<std::string>& into, const std::string& help);
  // Empty: it was not given; `--name ""` was.
  Command& option(const std::string& name, std::optional<std::string>& into,
                  const std::string& help);
  Command& option(const std::string& name, std::optional<uint32_t>& into, const std::string& help);
  // Refuses other values of the option or argument added last; completion offers these.
  Command& one_of(const std::vector<std::string>& values);
  // What it does; the result is the exit code of the program.
  Command& runs(std::function<int()> body);

  // The completion scripts of this command and all below it.
  std::string bash_completion() const;
  std::string zsh_completion() const;
  // What may follow the words `before`: commands and options, or the values of the last option.
  std::vector<std::string> candidates(const std::vector<std::string>& before) const;

 private:
  CLI::App* app_;
  Bodies* bodies_;
  CLI::Option* last_ = nullptr;
};

// What a command line says, as the parser has understood it.
struct Given {
  std::string command;  // whose option or argument it is: "show sessions"; empty: of every command
  std::string name;     // "host", "FILE"
  std::vector<std::string> values;
};
struct Spoken {
  std::string command;  // "show sessions"
  std::vector<Given> given;
};

// A command line from within the shell: it asks the daemon of `run_dir`, unless it says another
// one, whatever the environment says, and runs only if it is admitted.
struct Within {
  std::string run_dir;
  Result<void> (*admits)(const Spoken& spoken);
};

// Reads the command line with the commands that `add_commands` adds, and runs the one that is
// named. Returns the exit code of the program.
using AddCommands = void (*)(Command root, const Globals& globals);
int run_command_line(int argc, char** argv, AddCommands add_commands,
                     const Within* within = nullptr);

}  // namespace postern::cli
