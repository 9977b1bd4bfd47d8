// SPDX-License-Identifier: BSD-3-Clause
// postern support-bundle: what somebody else needs to help, in one file, without secrets
// (redact.h). Written by `tar` from a directory that only the caller may read; works without the
// daemon, whose part then says why it is missing.
#include <fmt/format.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/capture_session.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/support/doctor.h"
#include "cli/support/redact.h"
#include "cli/table.h"
#include "control/config/logs.h"
#include "control/text_file.h"

namespace postern::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLogTailBytes = size_t{256} << 10;  // of each log
constexpr size_t kFactsBytes = size_t{64} << 10;     // of each file of the system

struct Options {
  std::string file;
  Patient patient;
};

// One member of the bundle.
struct Part {
  std::string name, about, text;
};

std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// The last lines, whole ones.
std::string tail_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return path + ": " + std::strerror(errno) + "\n";
  const auto size = static_cast<size_t>(std::max<std::streamoff>(file.tellg(), 0));
  const size_t from = size > kLogTailBytes ? size - kLogTailBytes : 0;
  file.seekg(static_cast<std::streamoff>(from));
  std::string text(size - from, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return from == 0 ? text : text.substr(std::min(text.find('\n') + 1, text.size()));
}

std::string configuration_of(const std::string& file) {
  auto text = read_text_file(file);
  return text ? redact_configuration(*text) : text.error().text + "\n";
}

std::string machine_text() {
  const Machine machine("");
  utsname name = {};
  uname(&name);
  std::string text =
      fmt::format("{} {} {} {}\n", name.sysname, name.release, name.version, name.machine);
  for (const char* file : {"/etc/os-release", "/proc/cmdline", "/proc/meminfo", "/proc/modules",
                           "/proc/interrupts", "/proc/cpuinfo"}) {
    text += fmt::format("\n== {}\n{}", file, machine.text(file, kFactsBytes));
  }
  return redact_lines(text);
}

Part asked(const Globals& globals, const std::string& command) {
  auto answer = ask(globals, {{"command", command}});
  Json told = answer ? std::move(*answer) : Json{{"error", answer.error().text}};
  redact_json(told);
  std::string name = command;
  std::replace(name.begin(), name.end(), ' ', '-');
  return {"daemon/" + name + ".json", "what `postern " + command + " --json` says", dumped(told)};
}

std::vector<Part> gather(const Options& options, const Globals& globals) {
  std::vector<Part> parts;
  parts.push_back({"version.txt", "the version of this program", "postern " POSTERN_VERSION "\n"});
  parts.push_back({"doctor.json", "the checks of `postern doctor`",
                   dumped(to_json(examine(Machine(""), options.patient)))});
  parts.push_back({"configuration.yaml", "the configuration without secrets and comments",
                   configuration_of(options.patient.config_file)});
  parts.push_back({"machine.txt", "kernel, processors, memory, modules", machine_text()});
  for (const char* command :
       {"status", "show interfaces", "show routes", "show neighbors", "show rules", "show drops",
        "show dns", "show captures", "show remote", "show logins", "user lockouts", "history"}) {
    parts.push_back(asked(globals, command));
  }
  for (const config::LogFacts& log : config::kLogTable) {
    if (!log.is_forwarded) continue;
    const std::string file = std::string("log/") + log.word + ".log";
    parts.push_back({file, "the last lines of it",
                     redact_lines(tail_of(options.patient.state_dir + "/" + file))});
  }
  std::string list =
      "Made by `postern support-bundle`. Passwords, hashes, keys and tokens were\n"
      "replaced by (redacted); addresses, names and rules are as they are.\n\n";
  for (const Part& part : parts)
    list += fmt::format("{:<30} {}\n", part.name, part.about);
  parts.insert(parts.begin(), Part{"README.txt", "what is in here", std::move(list)});
  return parts;
}

// A directory that is gone with the object.
class Scratch {
 public:
  Scratch() {
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = (fs::temp_directory_path() / "postern-support-XXXXXX").string();
};

Result<void> put(const std::string& path, const std::string& text) {
  std::error_code failed;
  fs::create_directories(fs::path(path).parent_path(), failed);
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!failed && file) return {};
  return Error{ErrorCode::failed, path + ": cannot be written"};
}

Result<void> run_tar(const std::string& folder, const std::string& name, const std::string& file) {
  const std::array<std::string, 7> words = {"tar", "-C", folder, "-czf", file, "--", name};
  std::array<char*, 8> argv = {};
  std::transform(words.begin(), words.end(), argv.begin(),
                 [](const std::string& word) { return const_cast<char*>(word.c_str()); });
  pid_t pid = 0;
  if (posix_spawnp(&pid, "tar", nullptr, nullptr, argv.data(), environ) != 0) {
    return Error{ErrorCode::failed, "tar cannot be run"};
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error{ErrorCode::failed, file + ": tar could not write it"};
}

Result<void> write_bundle(const std::vector<Part>& parts, const std::string& name,
                          const std::string& file) {
  Scratch scratch;
  if (scratch.path().empty()) return Error{ErrorCode::failed, "no directory for temporary files"};
  for (const Part& part : parts) {
    if (auto done = put(scratch.path() + "/" + name + "/" + part.name, part.text); !done) {
      return done;
    }
  }
  return run_tar(scratch.path(), name, file);
}

int bundle(const Options& options, const Globals& globals) {
  if (globals.remote) return report(not_from_afar(), globals);
  umask(0077);
  char stamp[32];
  const std::time_t now = std::time(nullptr);
  std::tm parts_of_now = {};
  gmtime_r(&now, &parts_of_now);
  std::strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &parts_of_now);
  const std::string name = std::string("postern-support-") + stamp;
  const std::string file = options.file.empty() ? name + ".tar.gz" : options.file;
  const std::vector<Part> parts = gather(options, globals);
  if (auto done = write_bundle(parts, name, file == "-" ? file : fs::absolute(file).string());
      !done) {
    return report(done.error(), globals);
  }
  if (file == "-") return kDone;
  Json list = Json::array();
  Table table({{"PART"}, {"BYTES", Align::right}, {"WHAT"}});
  for (const Part& part : parts) {
    list.push_back({{"name", part.name}, {"bytes", part.text.size()}, {"about", part.about}});
    table.add({part.name, std::to_string(part.text.size()), part.about});
  }
  if (globals.json) {
    print_json({{"file", file}, {"parts", std::move(list)}});
    return kDone;
  }
  std::fputs(table.to_text(!globals.no_header).c_str(), stdout);
  fmt::print("{}: look through it before you give it away\n", file);
  return kDone;
}

}  // namespace

void add_support_bundle(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  Command command = root.add("support-bundle", "what others need to help, in one file, no secrets");
  command.optional_argument("FILE", options->file,
                            "where to (postern-support-TIME.tar.gz), - for standard output");
  command.option("--config", options->patient.config_file,
                 "the configuration (/etc/postern/gateway.yaml)");
  command.option("--state-dir", options->patient.state_dir,
                 "where the daemon keeps its state (/var/lib/postern)");
  command.runs([options, &globals] { return bundle(*options, globals); });
}

}  // namespace postern::cli
