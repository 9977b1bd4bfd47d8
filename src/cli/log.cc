// SPDX-License-Identifier: BSD-3-Clause
// postern log [LOG]: the last lines of the logs, and with --follow those that come.
//
// The daemon holds each line against the filter and keeps the ones that fit for this program, which
// asks for them several times a second until a signal comes.
#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "control/config/logs.h"

namespace postern::cli {
namespace {

constexpr long kPauseNs = 200'000'000;
volatile std::sig_atomic_t is_interrupted = 0;

void interrupt(int) {
  is_interrupted = 1;
}

std::vector<std::string> log_words() {
  std::vector<std::string> words = {"all"};
  words.reserve(1 + config::kLogs);
  for (const config::LogFacts& log : config::kLogTable)
    words.emplace_back(log.word);
  return words;
}

struct Options {
  std::string log, rule, action, host, since;
  bool follow = false;
  uint32_t lines = 20;
};

// "90s", "15m", "2h", "1d"; 0: it is none of these.
uint64_t seconds_of(const std::string& text) {
  uint64_t number = 0;
  size_t i = 0;
  for (; i < text.size() && i < 9 && text[i] >= '0' && text[i] <= '9'; ++i)
    number = number * 10 + static_cast<uint64_t>(text[i] - '0');
  if (i == 0 || i + 1 != text.size()) return 0;
  switch (text[i]) {
    case 's':
      return number;
    case 'm':
      return number * 60;
    case 'h':
      return number * 3600;
    case 'd':
      return number * 86400;
    default:
      return 0;
  }
}

Json request_of(const Options& options, const Globals& globals) {
  Json request = {{"command", options.follow ? "log follow" : "log tail"},
                  {"lines", options.lines},
                  {"fields", globals.json}};
  if (!options.log.empty() && options.log != "all") request["logs"] = Json::array({options.log});
  for (const auto& [key, value] :
       {std::pair("rule", &options.rule), std::pair("action", &options.action),
        std::pair("host", &options.host)}) {
    if (!value->empty()) request[key] = *value;
  }
  if (!options.since.empty()) request["since_s"] = seconds_of(options.since);
  return request;
}

// Of all logs, each line with the name of its own.
void print_line(const Json& line, const Options& options, const Globals& globals) {
  if (globals.json) {
    std::puts(line.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    return;
  }
  const std::string text = line.value("text", std::string());
  if (options.log.empty() || options.log == "all") {
    std::printf("%-8s %s\n", line.value("log", std::string()).c_str(), text.c_str());
  } else {
    std::puts(text.c_str());
  }
}

void print_lines(const Json& result, const Options& options, const Globals& globals) {
  for (const Json& line : result.value("lines", Json::array()))
    print_line(line, options, globals);
  if (const auto lost = result.value("lost", uint64_t{0}); lost > 0) {
    std::fprintf(stderr, "postern: %llu lines came too fast to be shown\n",
                 static_cast<unsigned long long>(lost));
  }
  std::fflush(stdout);
}

Result<Json> ask(const Globals& globals, const Json& request) {
  auto response = call(globals, request);
  if (!response) return std::move(response).error();
  if (!response->value("ok", false)) return error_of(*response);
  return response->value("result", Json::object());
}

int follow(const Options& options, const Globals& globals) {
  struct sigaction on_signal = {};
  on_signal.sa_handler = interrupt;
  sigaction(SIGINT, &on_signal, nullptr);
  sigaction(SIGTERM, &on_signal, nullptr);
  auto first = ask(globals, request_of(options, globals));
  if (!first) return report(first.error(), globals);
  print_lines(*first, options, globals);
  const Json request = {{"command", "log read"},
                        {"follower", first->value("follower", Json())},
                        {"fields", globals.json}};
  while (is_interrupted == 0) {
    timespec pause = {0, kPauseNs};
    nanosleep(&pause, nullptr);
    auto batch = ask(globals, request);
    if (!batch) return report(batch.error(), globals);
    print_lines(*batch, options, globals);
    if (std::ferror(stdout) != 0) return kFailed;  // whoever read it is gone
  }
  return kDone;
}

int show_log(const Options& options, const Globals& globals) {
  if (!options.since.empty() && seconds_of(options.since) == 0) {
    report({ErrorCode::invalid, "--since: a time such as 90s, 15m, 2h, 1d"}, globals);
    return kUsage;
  }
  if (options.follow) return follow(options, globals);
  return ask_and_show(globals, request_of(options, globals), [&](const Json& result) {
    print_lines(result, options, globals);
    if (result.value("cut", false) && !globals.no_header) {
      std::fputs("postern: older lines are in the files under log/ of the state directory\n",
                 stderr);
    }
  });
}

}  // namespace

void add_log(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  Command command = root.add("log", "the last lines of the logs, and those that come");
  command.optional_argument("LOG", options->log, "which log (all)").one_of(log_words());
  command.flag("-f,--follow", options->follow, "go on with the lines that come, until ^C");
  command.option("-n,--lines", options->lines, "how many of the last lines (20)");
  command.option("--rule", options->rule, "only lines of this rule");
  command.option("--action", options->action, "only this action: drop, permit, link_up, apply");
  command.option("--host", options->host, "only lines about this address");
  command.option("--since", options->since, "only lines of the last 90s, 15m, 2h, 1d");
  command.runs([options, &globals] { return show_log(*options, globals); });
}

}  // namespace postern::cli
