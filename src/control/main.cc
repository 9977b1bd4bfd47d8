// SPDX-License-Identifier: BSD-3-Clause
// posternd: arguments, signals, exit code. 0 stopped when told, 1 failed, 2 usage, 3 configuration
// invalid.
#include <getopt.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "control/gateway.h"
#include "control/host_path.h"
#include "control/start_up.h"
#include "control/text_file.h"

namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kInvalid = 3;

constexpr const char* kHelp =
    "Usage: posternd [--config FILE] [--state-dir DIR] [--run-dir DIR] [--check] [--version]\n"
    "\n"
    "  --config FILE    the configuration (/etc/postern/gateway.yaml)\n"
    "  --state-dir DIR  what survives a restart: last good configuration, logs (/var/lib/postern)\n"
    "  --run-dir DIR    socket, lock (/run/postern)\n"
    "  --check          check the configuration and exit: 0 valid, 3 invalid\n"
    "  --version        print the version and exit\n";

struct Arguments {
  postern::StartOptions start;
  bool check = false;
};

// Empty: `exit_code` says with what to end.
std::optional<Arguments> parse_arguments(int argc, char** argv, int& exit_code) {
  static constexpr option kOptions[] = {{"config", required_argument, nullptr, 'c'},
                                        {"state-dir", required_argument, nullptr, 's'},
                                        {"run-dir", required_argument, nullptr, 'r'},
                                        {"check", no_argument, nullptr, 'k'},
                                        {"version", no_argument, nullptr, 'v'},
                                        {"help", no_argument, nullptr, 'h'},
                                        {nullptr, 0, nullptr, 0}};
  Arguments arguments;
  exit_code = 0;
  for (int choice; (choice = getopt_long(argc, argv, "h", kOptions, nullptr)) != -1;) {
    switch (choice) {
      case 'c':
        arguments.start.config_file = optarg;
        break;
      case 's':
        arguments.start.state_dir = optarg;
        break;
      case 'r':
        arguments.start.run_dir = optarg;
        break;
      case 'k':
        arguments.check = true;
        break;
      case 'v':
        std::puts("posternd " POSTERN_VERSION);
        return std::nullopt;
      case 'h':
        std::fputs(kHelp, stdout);
        return std::nullopt;
      default:
        exit_code = kUsage;  // getopt has said why
        return std::nullopt;
    }
  }
  if (optind == argc) return arguments;
  std::fprintf(stderr, "posternd: unexpected argument `%s`; see posternd --help\n", argv[optind]);
  exit_code = kUsage;
  return std::nullopt;
}

int fail(const postern::Error& error) {
  std::fprintf(stderr, "posternd: %s\n", error.text.c_str());
  return error.code == postern::ErrorCode::invalid ? kInvalid : kFailed;
}

int check(const std::string& file) {
  auto text = postern::read_text_file(file);
  if (!text) return fail({postern::ErrorCode::invalid, text.error().text});
  postern::Checked checked = postern::check_text(*text);
  for (const auto& finding : checked.findings)
    std::fprintf(stderr, "%s\n", postern::config::to_text(finding, file).c_str());
  return checked.ok() ? 0 : kInvalid;
}

// With what was chosen, until a signal ends it. An error: it did not come up.
postern::Result<void> run_gateway(const postern::StartOptions& options, postern::ErrorLog& log,
                                  postern::Choice choice, postern::StartAttempt& attempt) {
  postern::Gateway gateway(options, log);
  auto started = gateway.start(std::move(choice));
  log.output().settle();
  if (!started) return started;
  attempt.succeeded();
  gateway.run();
  return {};
}

int run(const postern::StartOptions& options, char** argv) {
  // Every thread that is made from here on leaves these to the control thread's signalfd.
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE})
    sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  umask(0027);  // F66: what we write is not everybody's to read

  for (const std::string& directory : {options.run_dir, options.state_dir}) {
    if (auto made = postern::make_directory(directory); !made) return fail(made.error());
  }
  if (auto off = postern::check_forwarding_is_off(); !off) return fail(off.error());
  auto lock = postern::DirectoryLock::take(options.run_dir, "posternd.lock");
  if (!lock) return fail(lock.error());
  auto state_lock = postern::DirectoryLock::take(options.state_dir, "state.lock");
  if (!state_lock) return fail(state_lock.error());
  postern::ErrorLog log;
  auto choice = postern::choose_configuration(options, log);
  log.output().settle();
  if (!choice) return fail(choice.error());
  postern::StartAttempt attempt(options, *choice, log);
  auto ran = run_gateway(options, log, std::move(*choice), attempt);
  if (ran) return 0;
  // Its text is sound: another start, with other ports, may do. So this is never kInvalid.
  if (!attempt.failed(ran.error())) return fail({postern::ErrorCode::failed, ran.error().text});
  log.error(options.config_file + " did not come up: " + ran.error().text +
            "; starting anew, with the last good configuration");
  log.output().settle();
  sd_notify(0, "EXTEND_TIMEOUT_USEC=60000000");
  return fail(postern::begin_anew(argv));
}

}  // namespace

int main(int argc, char** argv) {
  int exit_code = 0;
  auto arguments = parse_arguments(argc, argv, exit_code);
  if (!arguments) return exit_code;
  return arguments->check ? check(arguments->start.config_file) : run(arguments->start, argv);
}
