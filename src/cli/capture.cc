// SPDX-License-Identifier: BSD-3-Clause
// postern capture: frames as the packet path sees them, as lines, JSON or pcapng; and
// postern show captures.
//
// The daemon catches, this program asks for what was caught until enough is there, a signal comes
// or the daemon ends it. Files are written here, with the rights of whoever asks.
#include <fmt/format.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>

#include "cli/capture_sink.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/show.h"
#include "control/admin/protocol.h"

namespace postern::cli {
namespace {

struct Options {
  std::string interface, at, where;
  std::string out;
  uint32_t count = 0, seconds = 0, snap_length = 256;
};

std::atomic<bool> is_interrupted{false};

void interrupt(int) {
  is_interrupted = true;
}

// What the daemon answers, its refusals as errors.
Result<Json> ask(const Globals& globals, const Json& request) {
  auto response = call(globals.run_dir, request);
  if (!response) return std::move(response).error();
  if (response->value("ok", false)) return response->value("result", Json::object());
  Json error = response->value("error", Json::object());
  return Error{admin::error_code_from(error.value("code", "")), error.value("text", "refused")};
}

// One capture from its start to its end.
class Session {
 public:
  Session(const Options& options, const Globals& globals, CaptureSink& sink)
      : options_(options), globals_(globals), sink_(sink) {}

  Result<void> start() {
    auto started = ask(globals_, {{"command", "capture start"},
                                  {"interface", options_.interface},
                                  {"at", options_.at},
                                  {"where", options_.where},
                                  {"snap_length", options_.snap_length}});
    if (!started) return std::move(started).error();
    id_ = started->value("capture", Json());
    return {};
  }

  Result<void> run() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options_.seconds);
    Json last = Json::object();
    while (!last.value("ended", false)) {
      const bool is_over = options_.seconds != 0 && std::chrono::steady_clock::now() >= end;
      if (is_over || is_interrupted || is_enough()) {
        if (auto stopped = stop(); !stopped) return stopped;
      }
      auto batch =
          ask(globals_,
              {{"command", "capture read"}, {"capture", id_}, {"frames", sink_.wants_bytes()}});
      if (!batch) return std::move(batch).error();
      if (auto taken = take(*batch); !taken) return taken;
      last = std::move(*batch);
    }
    return sink_.end(last.value("interfaces", Json::array()));
  }

  uint64_t frames() const { return frames_; }
  uint64_t lost() const { return lost_; }

 private:
  bool is_enough() const { return options_.count != 0 && frames_ >= options_.count; }

  Result<void> stop() {
    if (is_stopped_) return {};
    is_stopped_ = true;
    auto stopped = ask(globals_, {{"command", "capture stop"}, {"capture", id_}});
    if (!stopped) return std::move(stopped).error();
    return {};
  }

  Result<void> take(const Json& batch) {
    const Json interfaces = batch.value("interfaces", Json::array());
    lost_ = 0;
    for (const Json& interface : interfaces)
      lost_ += interface.value("lost", uint64_t{0});
    sink_.begin(interfaces);
    for (const Json& frame : batch.value("frames", Json::array())) {
      if (is_enough()) break;
      sink_.take(frame);
      ++frames_;
    }
    return sink_.flush();
  }

  const Options& options_;
  const Globals& globals_;
  CaptureSink& sink_;
  Json id_;
  bool is_stopped_ = false;
  uint64_t frames_ = 0, lost_ = 0;
};

int capture(const Options& options, const Globals& globals) {
  if (globals.json && !options.out.empty()) {
    report({ErrorCode::invalid, "--out: a file is pcapng; leave out --json"}, globals);
    return kUsage;
  }
  struct sigaction on_signal = {};
  on_signal.sa_handler = interrupt;
  sigaction(SIGINT, &on_signal, nullptr);
  sigaction(SIGTERM, &on_signal, nullptr);
  auto sink = make_capture_sink({options.out, globals.json, options.snap_length});
  if (!sink) return report(sink.error(), globals);
  Session session(options, globals, **sink);
  if (auto started = session.start(); !started) {
    // What the daemon finds invalid came from the command line.
    const int code = report(started.error(), globals);
    return code == kInvalid ? kUsage : code;
  }
  auto outcome = session.run();
  if (!globals.json && !globals.no_header) {
    fmt::print(stderr, "{} frames, {} more lost\n", session.frames(), session.lost());
  }
  return outcome ? static_cast<int>(kDone) : report(outcome.error(), globals);
}

void print_captures(const Json& result, const Globals& globals) {
  Table table({{"CAPTURE", Align::right},
               {"WHO"},
               {"WHAT"},
               {"STARTED"},
               {"MATCHED", Align::right},
               {"LOST", Align::right}});
  for (const Json& row : result.value("captures", Json::array())) {
    table.add({cell(row, "capture"), cell(row, "who"), cell(row, "what"),
               local_time(row, "started"), cell(row, "matched"), cell(row, "lost")});
  }
  std::fputs(table.to_text(!globals.no_header).c_str(), stdout);
}

}  // namespace

void add_show_captures(Command& show, const Globals& globals) {
  show.add("captures", "captures that run, and who runs them").runs([&globals] {
    return ask_and_show(globals, {{"command", "show captures"}},
                        [&](const Json& result) { print_captures(result, globals); });
  });
}

void add_capture(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  Command command =
      root.add("capture", "frames as they come, go and are dropped, with reason and rule");
  command.option("--interface", options->interface,
                 "only there: names with commas, a zone, or gateway for the kernel's side");
  command.option("--at", options->at, "received, sent, dropped, several with commas, or all");
  command.option("--where", options->where,
                 "conditions, such as \"tcp and host 192.0.2.1 and not port 22\"");
  command.option("--count", options->count, "end after so many frames");
  command.option("--seconds", options->seconds, "end after so many seconds");
  command.option("--snaplen", options->snap_length, "bytes kept of each frame (256)");
  command.option("--out", options->out, "write pcapng to this file, - for standard output");
  command.runs([options, &globals] { return capture(*options, globals); });
}

}  // namespace postern::cli
