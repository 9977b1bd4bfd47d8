// SPDX-License-Identifier: BSD-3-Clause
// postern top: the gateway at work, now: workers, interfaces, talkers, rules, drops. On a terminal
// a screen with keys; elsewhere (a pipe, TERM=dumb) the tables one after the other.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <thread>

#include "cli/capture_session.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/show.h"
#include "cli/top/screen.h"

namespace postern::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kTalkersView = 2;
constexpr size_t kRowsOnce = 21;  // of each table that is printed: twenty and its header
constexpr std::chrono::seconds kOnceWait(1);

struct Options {
  bool once = false;
  uint32_t interval = 2, count = 0;
};

std::atomic<bool> is_interrupted{false};

void interrupt(int) {
  is_interrupted = true;
}

// The last two looks, and the talkers of the last one.
class Looks {
 public:
  explicit Looks(const Globals& globals) : globals_(globals) {}

  Result<void> look(bool with_talkers) {
    auto seen = ask(globals_, {{"command", "top"}});
    if (!seen) return std::move(seen).error();
    if (with_talkers) {
      if (auto talkers = look_at_talkers(); !talkers) return talkers;
    }
    before_ = std::move(now_);
    now_ = std::move(*seen);
    return {};
  }
  Result<void> look_at_talkers() {
    auto talkers = ask(globals_, {{"command", "show talkers"}});
    if (!talkers) return std::move(talkers).error();
    talkers_ = std::move(*talkers);
    return {};
  }
  std::vector<TopView> views() const { return views_of(before_, now_, talkers_); }
  std::string line() const { return headline(before_, now_); }
  Json json() const { return rates_json(before_, now_, talkers_); }

 private:
  const Globals& globals_;
  Json before_ = Json::object(), now_ = Json::object(), talkers_ = Json::object();
};

void print_tables(const Looks& looks) {
  fmt::print("{}\n", looks.line());
  for (const TopView& view : looks.views()) {
    if (view.rows.empty()) continue;
    fmt::print("\n{}\n", view.name);
    for (const std::string& line : view.lines("", view.sort, false, kRowsOnce))
      fmt::print("{}\n", line);
  }
  std::fflush(stdout);
}

// Without a screen: look after look, `count` of them.
int print_looks(const Options& options, const Globals& globals) {
  Looks looks(globals);
  if (auto seen = looks.look(true); !seen) return report(seen.error(), globals);
  const std::chrono::seconds wait =
      options.once ? kOnceWait : std::chrono::seconds(options.interval);
  const uint32_t count = options.once ? 1 : options.count;
  for (uint32_t told = 0; !is_interrupted && (count == 0 || told < count); ++told) {
    const auto end = Clock::now() + wait;
    while (!is_interrupted && Clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (is_interrupted) break;
    if (auto seen = looks.look(true); !seen) return report(seen.error(), globals);
    if (globals.json) {
      print_json(looks.json());
    } else {
      if (told != 0) fmt::print("\n");
      print_tables(looks);
    }
    if (std::ferror(stdout) != 0) return kFailed;
  }
  return kDone;
}

int run_screen(Screen& screen, const Options& options, const Globals& globals, Error& error) {
  Looks looks(globals);
  TopChoice choice;
  choice.interval_s = std::max(options.interval, 1u);
  auto next_look = Clock::now();
  std::vector<TopView> views;
  while (!choice.is_over && !is_interrupted) {
    if (views.empty() || (!choice.is_paused && Clock::now() >= next_look)) {
      if (auto seen = looks.look(choice.view == kTalkersView); !seen) {
        error = seen.error();
        return kFailed;
      }
      views = looks.views();
      if (choice.sort.empty()) {
        choice.sort.reserve(views.size());
        for (const TopView& view : views)
          choice.sort.push_back(view.sort);
      }
      next_look = Clock::now() + std::chrono::seconds(choice.interval_s);
    }
    screen.draw(screen_lines(choice, views, looks.line(), screen.size()));
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(next_look - Clock::now()).count();
    const bool waits = choice.is_paused || left > 500;
    const int key = screen.wait_key(waits ? 500 : std::max(static_cast<int>(left), 0));
    const size_t view = choice.view;
    if (key >= 0) press(choice, key, views);
    if (choice.view != view && choice.view == kTalkersView) {
      if (auto talkers = looks.look_at_talkers(); talkers) views = looks.views();
    }
  }
  return kDone;
}

int top(const Options& options, const Globals& globals) {
  if (options.interval < 1 || options.interval > 60) {
    report({ErrorCode::invalid, "--interval: 1 to 60 seconds"}, globals);
    return kUsage;
  }
  struct sigaction on_signal = {};
  on_signal.sa_handler = interrupt;
  sigaction(SIGINT, &on_signal, nullptr);
  sigaction(SIGTERM, &on_signal, nullptr);
  const bool wants_screen = !options.once && !globals.json && options.count == 0;
  std::unique_ptr<Screen> screen = wants_screen ? Screen::open() : nullptr;
  if (screen == nullptr) return print_looks(options, globals);
  Error error;
  const int code = run_screen(*screen, options, globals, error);
  screen.reset();  // errors are told on the terminal as it was
  return code == kDone ? code : report(error, globals);
}

void print_talkers(const Json& result, const Globals& globals) {
  Table table({{"HOST"},
               {"SESSIONS", Align::right},
               {"SENT-BYTES", Align::right},
               {"RECEIVED-BYTES", Align::right}});
  for (const Json& row : result.value("talkers", Json::array())) {
    table.add({cell(row, "host"), cell(row, "sessions"), cell(row, "sent_bytes"),
               cell(row, "received_bytes")});
  }
  std::fputs(table.to_text(!globals.no_header).c_str(), stdout);
  if (!result.value("complete", true) && !globals.no_header) {
    fmt::print("of the first {} sessions\n", number(result, "sessions_seen"));
  }
}

}  // namespace

void add_show_talkers(Command& show, const Globals& globals) {
  show.add("talkers", "inside hosts by what their sessions moved").runs([&globals] {
    return ask_and_show(globals, {{"command", "show talkers"}},
                        [&](const Json& result) { print_talkers(result, globals); });
  });
}

void add_top(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  Command command =
      root.add("top", "the gateway at work: workers, interfaces, talkers, rules, drops");
  command.flag("--once", options->once, "print the tables of one second, and end");
  command.option("--interval", options->interval, "seconds between two looks (2)");
  command.option("-n,--count", options->count, "print so many looks, and end; without a screen");
  command.runs([options, &globals] { return top(*options, globals); });
}

}  // namespace postern::cli
