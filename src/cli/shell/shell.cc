// SPDX-License-Identifier: BSD-3-Clause
// postern shell: a prompt that knows the commands of this program and nothing else. As the forced
// command of an SSH login it is all that its owner has on the machine: with a command, `ssh
// admin@gateway show sessions --json`, sshd passes that in SSH_ORIGINAL_COMMAND, and it is run
// under the same rules (gate.h), by no other shell.
//
// Whatever comes from the client is one line of words, read by words.h and then by the parser of
// every command line; of the environment it keeps what it can check. A command of the prompt is a
// process of its own, so that it has ^C for itself and what goes wrong in it ends there.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/shell/gate.h"
#include "cli/shell/line_editor.h"
#include "cli/shell/words.h"

namespace postern::cli {
namespace {

constexpr const char* kOriginal = "SSH_ORIGINAL_COMMAND";
constexpr size_t kVariableMax = 256;  // bytes of a value that is kept
constexpr std::string_view kAlphanumeric =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

// What is kept of the environment, where its value has no other characters than these.
struct Variable {
  const char* name;
  std::string_view others;
};
constexpr std::array kVariables = std::to_array<Variable>({
    {"TERM", "+-._"},
    {"NO_COLOR", ""},
    {"SSH_CONNECTION", " .:%"},  // of sshd; who would be locked out is found by it
});

bool is_sound(std::string_view value, std::string_view others) {
  return value.size() <= kVariableMax && std::all_of(value.begin(), value.end(), [&](char c) {
           return kAlphanumeric.find(c) != std::string_view::npos ||
                  others.find(c) != std::string_view::npos;
         });
}

// Programs are found where the system has them; no library takes orders from the client.
void clean_environment() {
  std::vector<std::pair<const char*, std::string>> kept = {{"PATH", "/usr/bin:/bin"},
                                                           {"LC_ALL", "C.UTF-8"}};
  for (const Variable& variable : kVariables) {
    const char* value = std::getenv(variable.name);
    if (value != nullptr && is_sound(value, variable.others))
      kept.emplace_back(variable.name, value);
  }
  clearenv();
  for (const auto& [name, value] : kept)
    setenv(name, value.c_str(), 1);
  umask(0077);
}

// The words of a command: `postern` in front or not, `help COMMAND` as `COMMAND --help`.
std::vector<std::string> command_of(std::vector<std::string> words) {
  if (!words.empty() && words.front() == "postern") words.erase(words.begin());
  if (!words.empty() && (words.front() == "help" || words.front() == "?")) {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  return words;
}

class Shell {
 public:
  Shell(const Command& root, const Globals& globals, AddCommands add_commands)
      : root_(root), globals_(globals), add_commands_(add_commands) {}

  // In this process; the exit code.
  int run(std::vector<std::string> words) const {
    words.insert(words.begin(), "postern");
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words)
      argv.push_back(word.data());
    argv.push_back(nullptr);
    const Within within{globals_.run_dir, may_run};
    return run_command_line(static_cast<int>(words.size()), argv.data(), add_commands_, &within);
  }

  int run_original(const std::string& line) const {
    auto words = split_words(line);
    if (!words) return wrong_line(words.error());
    return run(command_of(std::move(*words)));
  }

  int converse() const;

 private:
  static int wrong_line(const Error& error) {
    std::fprintf(stderr, "postern: %s\n", error.text.c_str());
    return kUsage;
  }
  int run_and_wait(const std::vector<std::string>& words) const;
  Offer offer_for(const std::string& line) const;
  Result<std::string> gateway_name() const;

  const Command& root_;
  const Globals& globals_;
  AddCommands add_commands_;
};

int Shell::run_and_wait(const std::vector<std::string>& words) const {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) {
    std::fprintf(stderr, "postern: %s\n", std::strerror(errno));
    return kFailed;
  }
  if (child == 0) {
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    const int code = run(words);
    std::fflush(nullptr);
    _exit(code);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  std::putchar('\n');
  return 128 + WTERMSIG(status);
}

Offer Shell::offer_for(const std::string& line) const {
  auto split = split_words(line);
  if (!split) return {};
  std::vector<std::string> before = std::move(*split);
  std::string typed;
  if (!before.empty() && line.back() != ' ' && line.back() != '\t') {
    typed = before.back();
    before.pop_back();
  }
  if (!before.empty() && before.front() == "postern") before.erase(before.begin());
  Offer offer;
  offer.typed = typed.size();
  for (const std::string& word : root_.candidates(before)) {
    const bool is_asked_for = typed.empty() ? !word.starts_with("-") : word.starts_with(typed);
    if (is_asked_for && is_offered(before, word)) offer.words.push_back(word);
  }
  return offer;
}

// As its configuration says, or else the host. An Error: this user is not to ask.
Result<std::string> Shell::gateway_name() const {
  auto response = call(globals_, {{"command", "status"}});
  if (response && !response->value("ok", false)) response = error_of(*response);
  if (!response && response.error().code == ErrorCode::denied) return response.error();
  if (!response) std::fprintf(stderr, "postern: %s\n", response.error().text.c_str());
  std::string name;
  if (response) name = response->at("result").value("name", "");
  std::array<char, HOST_NAME_MAX + 1> host = {};
  if (name.empty() && gethostname(host.data(), host.size() - 1) == 0) name = host.data();
  return is_sound(name, "-._") ? name : "postern";
}

int Shell::converse() const {
  const bool is_typed = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
  std::unique_ptr<LineEditor> editor;
  if (is_typed) {
    auto name = gateway_name();
    if (!name) return report(name.error(), globals_);
    editor = std::make_unique<LineEditor>(
        *name + "> ", [this](const std::string& line) { return offer_for(line); });
    for (const int number : {SIGINT, SIGQUIT, SIGTSTP})
      signal(number, SIG_IGN);
  }
  int code = kDone;
  for (;;) {
    auto line = editor ? editor->read() : read_plain_line();
    if (!line && editor) std::putchar('\n');
    if (!line) return code;
    auto words = split_words(*line);
    if (!words) {
      code = wrong_line(words.error());
      continue;
    }
    if (words->empty()) continue;
    if (words->front() == "exit" || words->front() == "quit") return code;
    code = run_and_wait(command_of(std::move(*words)));
  }
}

int run_shell(const Command& root, const Globals& globals, AddCommands add_commands) {
  if (globals.remote || std::getenv("POSTERN_RUN_DIR") != nullptr) {
    std::fputs("postern: the shell asks the daemon of this machine, or of --run-dir\n", stderr);
    return kUsage;
  }
  const char* original = std::getenv(kOriginal);
  const std::string line = original == nullptr ? "" : original;
  clean_environment();
  const Shell shell(root, globals, add_commands);
  return original != nullptr ? shell.run_original(line) : shell.converse();
}

}  // namespace

void add_shell(Command& root, const Globals& globals, AddCommands add_commands) {
  root.add("shell", "a prompt for these commands; the forced command of an SSH login")
      .runs([root, &globals, add_commands] { return run_shell(root, globals, add_commands); });
}

}  // namespace postern::cli
