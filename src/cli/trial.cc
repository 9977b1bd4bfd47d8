// SPDX-License-Identifier: BSD-3-Clause
#include "cli/trial.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "cli/exit_code.h"
#include "cli/ssh_session.h"
#include "cli/table.h"
#include "control/admin/protocol.h"

namespace postern::cli {
namespace {

constexpr int kLookMs = 1000;  // how often the clock at the terminal moves

bool is_at_terminal() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

// The trial that is watched at the terminal.
struct Watch {
  std::string digest;
  int64_t left = 0;             // seconds
  bool is_unreachable = false;  // and that was told
};

// How a trial that is over has ended, by what is in force or, should another change have come
// since, by what was recorded last.
int tell_end(const Json& history, const std::string& digest) {
  Json revisions = history.value("revisions", Json::array());
  Json last = revisions.empty() ? Json::object() : revisions.back();
  if (history.value("digest", "") == digest || last.value("digest", "") == digest) {
    std::fprintf(stderr, "\npostern: somebody else has confirmed it\n");
    return kDone;
  }
  std::fprintf(stderr, "\npostern: it was taken back; see `postern history`\n");
  return kPending;
}

// The exit code when the trial is over by now. A daemon that does not answer may still come back.
std::optional<int> look(const Globals& globals, Watch& watch) {
  auto response = call(globals, {{"command", "history"}});
  if (!response || !response->value("ok", false)) {
    Error error = response ? error_of(*response) : response.error();
    if (!watch.is_unreachable) std::fprintf(stderr, "\npostern: %s\n", error.text.c_str());
    watch.is_unreachable = true;
    return std::nullopt;
  }
  watch.is_unreachable = false;
  Json history = response->value("result", Json::object());
  Json trial = history.value("trial", Json());
  if (!trial.is_object() || trial.value("digest", "") != watch.digest) {
    return tell_end(history, watch.digest);
  }
  watch.left = trial.value("seconds_left", int64_t{0});
  return std::nullopt;
}

int end_trial(const Globals& globals, const char* command, const Watch& watch, int exit_code) {
  auto response = call(globals, {{"command", command}, {"trial", watch.digest}});
  if (!response) return report(response.error(), globals);
  int code = finish_change(*response, "", globals);
  return code == kDone ? exit_code : code;
}

// The clock stands in front of what is being typed.
void print_clock(int64_t left) {
  std::fprintf(stderr,
               "\r\x1b[Ktaken back in %lld:%02lld; type yes to keep it, no to take it back: ",
               static_cast<long long>(left / 60), static_cast<long long>(left % 60));
  std::fflush(stderr);
}

int ask_at_terminal(const Globals& globals, const std::string& digest) {
  for (Watch watch{digest};;) {
    if (auto over = look(globals, watch)) return *over;
    if (!watch.is_unreachable) print_clock(watch.left);
    pollfd input = {STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, kLookMs) <= 0) continue;
    char line[64] = {};
    ssize_t n = read(STDIN_FILENO, line, sizeof line - 1);
    if (n <= 0) return kPending;
    std::string word(line, static_cast<size_t>(n));
    if (word == "yes\n") return end_trial(globals, "confirm", watch, kDone);
    if (word == "no\n") return end_trial(globals, "revert", watch, kPending);
  }
}

}  // namespace

void print_findings(const Json& findings, const std::string& file) {
  for (const Json& finding : findings) {
    std::string path = finding.value("path", "");
    std::fprintf(stderr, "%s:%d:%d: %s: %s%s%s\n", file.c_str(), finding.value("line", 0),
                 finding.value("column", 0), finding.value("severity", "error").c_str(),
                 path.c_str(), path.empty() ? "" : ": ", finding.value("text", "").c_str());
  }
}

void add_session(Json& request) {
  auto session = ssh_session();
  if (!session) return;
  request["ssh"] = {{"client", session->client},
                    {"client_port", session->client_port},
                    {"server", session->server},
                    {"server_port", session->server_port}};
}

uint32_t parse_seconds(const std::string& text) {
  uint32_t value = 0;
  auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc() || value > 1'000'000) return 0;
  std::string unit(end, text.data() + text.size());
  if (unit.empty() || unit == "s") return value;
  if (unit == "m") return value * 60;
  return unit == "h" && value <= 1000 ? value * 3600 : 0;
}

void add_change_options(Command& command, ChangeOptions& options) {
  command.flag("--save", options.save, "make it the daemon's configuration file, too")
      .option("--confirm", options.confirm,
              "take it back after this time (90s, 5m) unless `postern confirm` comes")
      .flag("--no-confirm", options.no_confirm, "keep it even if it may lock this session out")
      .option("--comment", options.comment, "why, for the history")
      .option("--base", options.base,
              "only if what is in force has this digest, as `plan --json` told it");
}

Result<void> add_change(Json& request, const ChangeOptions& options) {
  if (options.confirm && options.no_confirm) {
    return Error{ErrorCode::failed, "--confirm and --no-confirm exclude each other"};
  }
  request["save"] = options.save;
  request["comment"] = options.comment.value_or("");
  if (options.base) request["base"] = *options.base;
  if (options.no_confirm) {
    request["trial_s"] = 0;
  } else if (!options.confirm) {
    add_session(request);
  } else if (uint32_t trial_s = parse_seconds(*options.confirm); trial_s != 0) {
    request["trial_s"] = trial_s;
  } else {
    return Error{ErrorCode::failed,
                 "--confirm takes a time like 90s, 5m or 1h, not `" + *options.confirm + "`"};
  }
  return {};
}

int finish_change(const Json& response, const std::string& file, const Globals& globals,
                  const Json& more) {
  const bool done = response.value("ok", false);
  const Json answer = response.value(done ? "result" : "error", Json::object());
  if (globals.json) {
    Json out = done ? answer : Json{{"error", answer}};
    out.update(more);
    print_json(out);
  } else {
    print_findings(answer.value("findings", Json::array()), file);
    if (done) {
      std::printf("%s\n", answer.value("text", "done").c_str());
      std::fflush(stdout);
    } else {
      std::fprintf(stderr, "postern: %s\n", answer.value("text", "refused").c_str());
    }
  }
  if (!done) return exit_code_of(admin::error_code_from(answer.value("code", "")));
  if (!answer.value("saved", true)) return kFailed;
  const Json trial = answer.value("trial", Json());
  if (!trial.is_object()) return kDone;
  if (globals.json || !is_at_terminal()) return kPending;
  return ask_at_terminal(globals, trial.value("digest", ""));
}

}  // namespace postern::cli
